import pandas as pd

from isthmus import RankRegressor

table = pd.read_csv("arm.csv")
X, Y = table.filter(like="encoder"), table.filter(like="lamp")
model = RankRegressor(random_state=0).fit(X, Y)

print(model.selection_.verdict.sentence)
print("rank", model.rank_, "interval", model.rank_interval_)
print("predictions", model.predict(X).shape, "the numbers that pass", model.transform(X).shape)
