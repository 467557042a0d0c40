"""
Diabetes: one number, and what it reads
=======================================

Ten measurements of 442 patients and how their illness went on in a year. There is one output, so at most one number
can pass; the question is which of the columns it reads.
"""

from sklearn.datasets import load_diabetes

from isthmus import RankRegressor

x, y = load_diabetes(return_X_y=True, as_frame=True)
model = RankRegressor(cv=3, random_state=0).fit(x, y)
figure = model.attribution_.plot()

# %%
print(model.selection_.verdict.sentence)
print("rank", model.rank_, "held-out R²", round(1 - model.error_curve_[model.rank_] / model.error_curve_[0], 2))

# %%
# **Conclude**: body-mass index (bmi), the blood serum s5 and the blood pressure move the number most.
#
# **Do not conclude** that the illness has one cause: with one output no other rank than 0 or 1 was possible. Nor that
# s1 does not matter: it moves together with s2 and s3, which can stand in for it.
