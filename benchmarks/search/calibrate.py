"""Measures how crowded the hashes of drawn art are, and fits `crowd.npz` to it.

    python -m benchmarks.search.calibrate

Reads the fingerprints that `make quality` keeps, and makes those that are missing. Prints how
crowded the art's hashes are beside as many drawn ones: the fit is good as far as the two agree. For
that, the model is fitted to one half of the art and compared with the other half; what is kept is
fitted to all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from benchmarks.quality import library, sets
from benchmarks.search.crowd import Bits, Hashes, Model
from shared.database.keys import PLACES

STRATA = 32
FACTORS = 4
SHARES = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
ROUNDS = 20
"""Of finding what each bit shares with no other; it settles well before."""
SAMPLE = 1_500
"""Hashes whose distances to all others are counted."""


def main() -> None:
    random = np.random.default_rng(0)
    art = random.permutation(np.unique(drawn_art(), axis=0))
    fitted, held_out = art[::2], art[1::2]
    print(
        f"{len(art)} different index hashes of drawn art; fitted to half, compared with the other"
    )
    print(head())
    print(line("art", held_out))
    print(line("drawn", fit(fitted).draw(random, len(held_out))))
    fit(art).save()
    print("fitted to all of it, as it is kept:")
    print(line("art", art))
    print(line("drawn", Model.load().draw(random, len(art))))


def drawn_art() -> Hashes:
    hashes = [str(one.index_hash) for name in sets.SETS for one in library.load(name).fingerprints]
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, 32)


def fit(hashes: Hashes) -> Model:
    bits = np.unpackbits(hashes, axis=1)
    usual = bits.mean(axis=0) > 0.5
    order = (bits == usual).sum(axis=1).argsort(kind="stable")
    parts = [bits[part] for part in np.array_split(order, STRATA)]
    fits = [(_thresholds(part), _factors(part)) for part in parts]
    return Model(
        weights=np.array([len(part) for part in parts], np.float32),
        thresholds=np.array([thresholds for thresholds, _ in fits], np.float32),
        factors=np.array([factors for _, factors in fits], np.float32),
    )


def _thresholds(bits: Bits) -> npt.NDArray[np.float64]:
    """Where a standard normal number is cut so that each bit is set as often as it was."""
    return np.asarray(-ndtri((bits.sum(axis=0) + 0.5) / (len(bits) + 1)))


def _factors(bits: Bits) -> npt.NDArray[np.float64]:
    """(256, r): the correlations of the normal numbers behind the bits, by their main axes."""
    count, ones = len(bits), bits.sum(axis=0, dtype=np.float64)
    both = bits.T.astype(np.float64) @ bits + 0.5
    one, other = ones[:, None] - both + 1, ones[None, :] - both + 1
    neither = count - both - one - other + 2
    # Digby (1983), https://doi.org/10.2307/2531104: a tetrachoric correlation by the odds' ratio.
    odds = (np.maximum(both * neither, 1e-3) / np.maximum(one * other, 1e-3)) ** 0.75
    correlations = (odds - 1) / (odds + 1) * (1 - 1 / np.sqrt(count))
    own = np.full(len(ones), 0.5)
    for _ in range(ROUNDS):
        np.fill_diagonal(correlations, 1 - own)
        values, axes = np.linalg.eigh(correlations)
        factors = axes[:, -FACTORS:] * np.sqrt(np.maximum(values[-FACTORS:], 0))
        own = np.clip(1 - (factors**2).sum(axis=1), 0.02, 1)
    long = np.sqrt(0.98 / np.maximum((factors**2).sum(axis=1), 0.98))
    return np.asarray(factors * long[:, None])


def head() -> str:
    columns = "".join(f"{f'{share:.0%}':>7}" for share in SHARES)
    return (
        f"{'':8}{'hashes':>8}  rows with a row's key{columns}\n"
        f"{'':16}  rows that share any of its keys; others within 15 and within 31 bits, mean;"
        " entropy of a bit, mean"
    )


def line(name: str, hashes: Hashes) -> str:
    """A table's line: how many rows have a row's key, and any of its 24, in quantiles."""
    sizes = crowding(hashes)
    one, all_ = (np.quantile(part, SHARES).astype(int) for part in (sizes, sizes.sum(axis=1)))
    near = " ".join(f"{others:.2f}" for others in _others(hashes))
    share = np.clip(np.unpackbits(hashes, axis=1).mean(axis=0), 1e-9, 1 - 1e-9)
    entropy = float(-(share * np.log2(share) + (1 - share) * np.log2(1 - share)).mean())
    return (
        f"{name:8}{len(hashes):>8}  key:   {' '.join(f'{size:>6}' for size in one)}\n"
        f"{'':16}  query: {' '.join(f'{size:>6}' for size in all_)}   near: {near}"
        f"   entropy: {entropy:.3f}"
    )


def crowding(hashes: Hashes) -> npt.NDArray[np.int64]:
    """(n, 24): how many of the hashes have each key of each hash."""
    bits = np.unpackbits(hashes, axis=1)
    sizes = np.empty((len(hashes), len(PLACES)), np.int64)
    for key, own in enumerate(PLACES):
        values = bits[:, own] @ (1 << np.arange(len(own)))
        sizes[:, key] = np.bincount(values)[values]
    return sizes


def _others(hashes: Hashes) -> list[float]:
    """The mean number of other hashes within 15 and within 31 bits."""
    words = hashes.view(np.uint64)
    some = words[:: max(1, len(words) // SAMPLE)]
    bits = np.stack([np.bitwise_count(words ^ word).sum(axis=1) for word in some])
    return [float((bits <= radius).sum(axis=1).mean()) - 1 for radius in (15, 31)]


if __name__ == "__main__":
    main()
