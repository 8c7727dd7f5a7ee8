"""How well duplicates are told from new designs: a labelled benchmark that anyone can run.

    make quality [QUICK=1]      or      python -m benchmarks.quality [--quick]

The art is public: icon sets and fonts from npm, photos that ship inside two Python packages, and
slogans and wraps that are drawn. Nothing of it is in this repository; it is drawn once and kept in
``.platen/quality`` (under ``PLATEN_HOME`` where that is set), as are the fingerprints made of it.

For tuning a rule, from Python:

    library.load(name)   Designs(name, drawings, fingerprints, groups); names: `sets.SETS`
    library.together()   the designs of all sets as one library
    copies.load()        [Copy(transform, kind, is_large, original, fingerprint, ...)]
    pairs.load()         [Pair(kind, set_name, left, right, place)]: designs that are NO duplicates

A drawing (`drawing.Drawing`) names one artwork and can draw it: ``artwork.load(drawing)`` is its
pixels, (h, w, 4) uint8 RGBA. Designs of one group look identical; the first of each group counts
(`Designs.distinct`). Fingerprints are cached by what they were made of: the drawings, the code that
drew and changed them, and the code of ``shared.fingerprint`` up to the fingerprint, so that a
change of the verdict alone computes none anew.
"""
