"""Families of tasks of known rank, by the groups in which they were first run.

A method may be chosen in view of families that have been run; only families that were not run before the method was
fixed test it, and only by their first run. So each group says when that was. Those of the blind groups were written by
someone who had not seen how a rank is decided, and corrected by the checks of `python -m rank_families GROUP` and by
derivatives, which use no method, of seeds 100 and 101 (of `second` also 0 and 1). Nobody who develops a method should
read the families of a group that is to come before it is fixed. `labelled`, `boundaries` and `kinds` are classes to fit
weights on (the last after they had tested others), `dependent` and `folded` outputs: of hidden numbers that others
nearly determine, and of sheets that fold.

Records are named for the groups: `results/rank_decision_GROUP.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from _rank_tasks import (
    Cells,
    Family,
    RankTask,
    classes,
    eight,
    eight_of_few,
    four_a_pair,
    one_a_pair,
    one_of_each_k,
    polynomial,
    relu,
    suite,
    two_a_pair,
)
from rank_families.abilities import abilities
from rank_families.absorption_spectra import mixtures
from rank_families.attractors import runs
from rank_families.bodies import bodies
from rank_families.choices_of_goods import goods
from rank_families.class_boundaries import BOUNDARIES, bounded
from rank_families.coils import coils
from rank_families.crumpled_sheets import crumpled
from rank_families.diagnoses import diagnoses
from rank_families.drug_levels import drugs
from rank_families.earthquakes import earthquakes
from rank_families.even_functions import even
from rank_families.farm_yields import farms
from rank_families.gas_turbines import turbines
from rank_families.gene_programmes import programmes
from rank_families.interferometers import interferometers
from rank_families.jointed_limbs import limbs
from rank_families.kinds_by_measures import ballots, genotypes, loans, texts, wines
from rank_families.kinds_by_signals import breezes, cells, circuits, rhythms, strokes
from rank_families.kinds_of_stars import stars
from rank_families.mountain_roads import passes
from rank_families.option_prices import options
from rank_families.orbits import comets
from rank_families.outputs_as_logits import labelled
from rank_families.physical_signals import physics
from rank_families.pictures import scenes
from rank_families.regional_epidemics import epidemics
from rank_families.road_traffic import roads
from rank_families.slaved_modes import layers
from rank_families.slow_manifolds import reactors
from rank_families.smooth_maps import smooth
from rank_families.soils_and_plants import plants
from rank_families.thin_films import films
from rank_families.valleys import valleys
from rank_families.visual_neurons import neurons
from rank_families.vowels import voices
from rank_families.water_mains import mains
from rank_families.wave_forms import bells
from rank_families.wave_optics import telescopes
from rank_families.weather_stations import weather
from rank_families.worn_machines import machines
from rank_families.yield_curves import bonds


@dataclass(frozen=True)
class FamilyGroup:
    """Families that were first run at the same time.

    Attributes:
        families: By name.
        first_run: The decision in `docs/decisions` that tells of that run; None before it.
        is_blind: Whether no method was chosen on them before it.
        cells: The tasks of each family.
    """

    families: Mapping[str, Family]
    first_run: str | None
    is_blind: bool
    cells: Cells = four_a_pair

    def tasks(self, seed: int) -> Iterator[RankTask]:
        """Of all families."""
        return suite(self.families, seed, self.cells)


GROUPS = {
    "chosen-on": FamilyGroup(
        {"relu": relu, "polynomial": polynomial, "classes": classes}, "0019-rank-of-data", is_blind=False
    ),
    "first": FamilyGroup({"smooth": smooth, "physics": physics, "scenes": scenes}, "0019-rank-of-data", is_blind=True),
    "second": FamilyGroup(
        {"limbs": limbs, "mains": mains, "programmes": programmes}, "0021-weighed-evidence", is_blind=True
    ),
    "third": FamilyGroup(
        {"mixtures": mixtures, "epidemics": epidemics, "options": options, "plants": plants},
        "0022-linear-evidence",
        is_blind=True,
    ),
    "labelled": FamilyGroup(
        {
            "relu classes": labelled(relu),
            "smooth classes": labelled(smooth),
            "programmes classes": labelled(programmes),
        },
        "0022-linear-evidence",
        is_blind=False,
    ),
    "even": FamilyGroup({"even": even}, "0022-linear-evidence", is_blind=False),
    "fourth": FamilyGroup(
        {"voices": voices, "telescopes": telescopes, "roads": roads, "goods": goods},
        "0023-unfolded-sheets",
        is_blind=True,
    ),
    "boundaries": FamilyGroup(
        {boundary.__name__.replace("_", " "): bounded(boundary) for boundary in BOUNDARIES},
        first_run=None,
        is_blind=False,
        cells=two_a_pair,
    ),
    "dependent": FamilyGroup(
        {
            "abilities": abilities,
            "bodies": bodies,
            "bonds": bonds,
            "weather": weather,
            "reactors": reactors,
            "layers": layers,
            "runs": runs,
            "turbines": turbines,
        },
        first_run="0049-numbers-that-depend",
        is_blind=False,
        cells=eight,
    ),
    "folded": FamilyGroup(
        {"coils": coils, "passes": passes, "bells": bells, "crumpled": crumpled},
        first_run="0049-numbers-that-depend",
        is_blind=False,
        cells=eight_of_few,
    ),
    "kinds": FamilyGroup(
        {
            "ballots": ballots,
            "loans": loans,
            "genotypes": genotypes,
            "wines": wines,
            "texts": texts,
            "strokes": strokes,
            "circuits": circuits,
            "cells": cells,
            "breezes": breezes,
            "rhythms": rhythms,
        },
        first_run="0050-label-scores",
        is_blind=False,
        cells=one_of_each_k,
    ),
    "fifth": FamilyGroup(
        {
            "earthquakes": earthquakes,
            "comets": comets,
            "drugs": drugs,
            "films": films,
            "machines": machines,
            "stars": stars,
            "valleys": valleys,
            "diagnoses": diagnoses,
            "farms": farms,
            "interferometers": interferometers,
            "neurons": neurons,
        },
        first_run="0039-doubtful-ranks-train-on",
        is_blind=True,
        cells=one_a_pair,
    ),
}
JUDGED_ON = "fifth"
"""The group that the method as it is was not changed in view of."""
NOT_FITTED_ON = ("fourth", JUDGED_ON)
FITTED_GROUPS = tuple(group for name, group in GROUPS.items() if name not in NOT_FITTED_ON)
FITTED_ON = {name: family for group in FITTED_GROUPS for name, family in group.families.items()}
"""The families that the weights of the evidence are fitted on."""
