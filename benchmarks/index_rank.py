"""How often the index rank of data is right, on tasks that nothing was chosen on.

60 tasks of one output with links unlike those that the method was chosen on, 16 of pure noise, 8 of four outputs, and
12 of one output and four or five combinations of 50 inputs and more, of which the 60 hold one (`_index_tasks`). Of each
the answer, whether the interval holds it, its probability, the largest principal angle between the combinations found
and the true ones (over the rows, if as many were found), and how often a coefficient is within two of its standard
errors. A task is decidable if an oracle that is given the true combinations finds that the weakest lowers the held-out
loss by more than two standard errors: ridge regression on 200 Gaussian kernels, width and ridge by leave-one-out
errors, five folds.

Each task is kept in DIR when it is done; a run goes on where it was stopped. The rivals are those of `_index_rivals`,
run in an environment that has them; without one their columns are missing.

`python benchmarks/index_rank.py DIR`, then `python benchmarks/_index_rivals.py DIR`, then the first again
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from _environment import keep
from _index_alone import index_of
from _index_tasks import REPORTED, IndexTask, largest_angle, noise_task, task, wide_task

Floats = NDArray[np.float64]
GROUPS: dict[str, tuple[int, Callable[[int], IndexTask]]] = {
    "task": (60, lambda seed: task(REPORTED, seed)),
    "noise": (16, noise_task),
    "outputs": (8, lambda seed: task(REPORTED, 1000 + seed, outputs=4)),
    "wide": (12, wide_task),
}
WIDTHS, RIDGES, KERNELS, SURE = (0.5, 1.0, 2.0, 4.0), 10.0 ** np.arange(-6.0, 2.0), 200, 2.0


def reported_on() -> Iterator[tuple[str, IndexTask]]:
    """All tasks, the groups mixed, so that a run that was cut short has some of each."""
    order = sorted((seed / count, group, seed) for group, (count, _) in GROUPS.items() for seed in range(count))
    for _, group, seed in order:
        yield f"{group}-{seed:02}", GROUPS[group][1](seed)


def held_out_losses(z: Floats, y: Floats) -> Floats:
    """Of the best ridge regression on kernels of z, `(n,)`."""
    losses = np.zeros(len(y))
    for trained, held in KFold(5, shuffle=True, random_state=0).split(z):
        fits = []
        for width in WIDTHS:
            kernels = Nystroem(gamma=0.5 / width**2, n_components=min(KERNELS, len(trained)), random_state=0)
            rows = kernels.fit_transform(z[trained])
            ridge = RidgeCV(RIDGES).fit(rows, y[trained])
            fits.append((ridge.best_score_, ridge.predict(kernels.transform(z[held]))))
        best = max(fits, key=lambda each: each[0])[1]
        losses[held] = ((best.reshape(len(held), -1) - y[held]) ** 2).sum(1)
    return losses


def is_decidable(of: IndexTask) -> bool:
    fewer = held_out_losses(of.z[:, :-1], of.y) if of.k > 1 else ((of.y - of.y.mean(0)) ** 2).sum(1)
    gains = fewer - held_out_losses(of.z, of.y)
    return bool(gains.mean() > SURE * gains.std(ddof=1) / np.sqrt(len(gains)))


def answered(of: IndexTask) -> dict[str, Any]:
    began = time.process_time()
    found = index_of(of.x, of.y)
    seconds = time.process_time() - began
    answer: dict[str, Any] = {
        "k": of.k,
        "rows": len(of.x),
        "inputs": of.x.shape[1],
        "kind": of.inputs,
        "noise": of.noise,
        "links": of.links,
        "weakest": round(of.weakest, 3),
        "rank": found.rank,
        "interval": found.interval,
        "probabilities": [round(p, 4) for p in found.probabilities],
        "gains": [round(gain, 2) for gain in found.evidence.gains],
        "surprises": [round(fall, 3) for fall in found.evidence.surprises],
        "agreements": [round(agreement, 3) for agreement in found.evidence.agreements],
        "seconds": round(seconds, 2),
    }
    errors = found.standard_errors
    if found.rank == of.k > 0 and errors is not None:
        directions = found.directions.numpy()
        answer["angle"] = round(largest_angle(of.x @ directions.T, of.z), 2)
        if of.inputs != "mixed":  # there the weights of copies are a choice
            signs = np.sign(np.sum(np.corrcoef((of.x @ directions.T).T, of.z.T)[: of.k, of.k :] * np.eye(of.k), 1))
            off = np.abs(signs[:, None] * directions - of.directions)
            answer["within"] = round(float((off <= SURE * errors.numpy()).mean()), 3)
    return answer


def exact(answers: list[dict[str, Any]]) -> int:
    return sum(each["rank"] == each["k"] for each in answers)


def summary(answers: list[dict[str, Any]]) -> dict[str, Any]:
    decidable = [each for each in answers if each.get("is_decidable", False)]
    chances = [np.append(each["probabilities"], np.zeros(30)) for each in answers]
    sure = [each for each in answers if each["probabilities"][each["rank"]] > 0.95]
    angles = [each["angle"] for each in answers if "angle" in each]
    within = [each["within"] for each in answers if "within" in each]
    return {
        "tasks": len(answers),
        "exact": exact(answers),
        **({"decidable": len(decidable), "decidable_exact": exact(decidable)} if decidable else {}),
        "off_by_more_than_one": sum(abs(each["rank"] - each["k"]) > 1 for each in answers),
        "interval_holds": sum(each["interval"][0] <= each["k"] <= each["interval"][1] for each in answers),
        "interval_width": round(float(np.mean([each["interval"][1] - each["interval"][0] for each in answers])), 2),
        "sure": len(sure),
        "sure_exact": exact(sure),
        "mean_probability_of_answer": round(float(np.mean([p.max() for p in chances])), 3),
        "brier": round(
            float(np.mean([((p - np.eye(len(p))[e["k"]]) ** 2).sum() for p, e in zip(chances, answers, strict=True)])),
            3,
        ),
        "angle_median": round(float(np.median(angles)), 2) if angles else None,
        "angle_largest": max(angles, default=None),
        "coefficients_within_two_errors": round(float(np.mean(within)), 3) if within else None,
    }


def kept(file: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    if not file.exists():
        file.write_text(json.dumps(work()))
        print(file.stem, file.read_text(), flush=True)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--done", action="store_true", help="Only tasks whose answers the folder holds.")
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    asked = {name: of for name, of in reported_on() if not given.done or (folder / f"{name}.json").exists()}
    answers = {name: kept(folder / f"{name}.json", lambda of=of: answered(of)) for name, of in asked.items()}
    for name, of in asked.items():
        if of.k and of.y.shape[1] == 1:
            answers[name] |= kept(folder / f"oracle-{name}.json", lambda of=of: {"is_decidable": is_decidable(of)})
    figures: dict[str, Any] = {
        group: summary([each for name, each in answers.items() if name.startswith(group)]) for group in GROUPS
    }
    figures["misses"] = {name: each for name, each in answers.items() if each["rank"] != each["k"]}
    rivals = folder / "rivals.json"
    if rivals.exists():
        figures["rivals"] = json.loads(rivals.read_text())
    keep("index_rank", "The index rank of data is found with its combinations", figures)


if __name__ == "__main__":
    main()
