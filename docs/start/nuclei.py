from sklearn.datasets import load_breast_cancer

table = load_breast_cancer(as_frame=True).data
inputs = [name for name in table if name.startswith("mean")]
outputs = ["worst radius", "worst texture", "worst smoothness", "worst concavity", "worst symmetry"]
table[inputs + outputs].to_csv("nuclei.csv", index=False)
