#!/usr/bin/env python3
"""Tests of fog_data.py: python3 tools/experiments/test_fog_data.py. Needs numpy."""

import io
import os
import pathlib
import pickle
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fog_data

# Four seconds of nothing, two rows of activity 1, one of 4, as in mHealth_subject1.log.
LOG = "\n".join(
    "\t".join([f"{row}.{column:02d}" if column else f"-{row}.818" for column in range(23)] + [label])
    for row, label in enumerate(["0", "0", "1", "1", "4", "0"])) + "\n"


class MHealth(unittest.TestCase):
    def load(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "mHealth_subject1.log"
            path.write_text(text)
            return fog_data.mhealth([path])

    def test_rows_labels_and_groups(self):
        samples, classes, groups = self.load(LOG)
        self.assertEqual(samples.shape, (3, 23))
        self.assertEqual(classes.tolist(), [0, 0, 3])
        self.assertEqual(groups.tolist(), [0, 0, 1])
        np.testing.assert_allclose(samples[0, :3], [-2.818, 2.01, 2.02], rtol=1e-6)

    def test_what_is_no_log(self):
        for text in ["1\t2\t3\n", LOG.replace("\t4\n", "\t13\n"), LOG.replace("2.01", "nan"),
                     LOG.replace("\t4\n", "\t0\n").replace("\t1\n", "\t0\n"), "a b\n"]:
            with self.assertRaises(ValueError):
                self.load(text)


class Unpickler(unittest.TestCase):
    def test_refuses_what_it_does_not_know(self):
        class Evil:
            def __reduce__(self):
                return os.system, ("echo this must not run",)

        with self.assertRaises(pickle.UnpicklingError):
            fog_data.RestrictedUnpickler(io.BytesIO(pickle.dumps(Evil()))).load()

    def test_reads_arrays(self):
        array = np.arange(6.0).reshape(2, 3)
        data = pickle.dumps(array, 2).replace(b"numpy._core", b"numpy.core")
        found = fog_data.RestrictedUnpickler(io.BytesIO(data), encoding="latin1").load()
        np.testing.assert_array_equal(found, array)


class Windows(unittest.TestCase):
    def test_four_figures_of_each_column(self):
        signal = np.arange(100.0)[:, None] * [1, 2]
        found = fog_data.windows(signal)
        self.assertEqual(len(found), 2)
        np.testing.assert_allclose(
            found[1], [63.5, 127, np.std(np.arange(64)), 2 * np.std(np.arange(64)), 32, 64, 95, 190],
            rtol=1e-6)
        self.assertEqual(fog_data.windows(signal[:63]), [])

    def test_stretches(self):
        self.assertEqual(fog_data.runs(np.array([1, 1, 2, 1])), [(0, 2), (2, 3), (3, 4)])


class Split(unittest.TestCase):
    def test_groups_stay_whole_and_all_classes_are_everywhere(self):
        random = np.random.default_rng(1)
        groups = np.repeat(np.arange(100), random.integers(1, 20, 100))
        classes = groups % 3
        parts = fog_data.split(classes, groups, seed=4)
        self.assertEqual(sorted(np.concatenate(parts).tolist()), list(range(len(groups))))
        for first, second in [(0, 1), (0, 2), (1, 2)]:
            self.assertFalse(set(groups[parts[first]]) & set(groups[parts[second]]))
        for part in parts:
            self.assertEqual(set(classes[part]), {0, 1, 2})
        self.assertAlmostEqual(len(parts[0]) / len(groups), 0.8, delta=0.05)
        np.testing.assert_array_equal(parts[0], fog_data.split(classes, groups, seed=4)[0])


if __name__ == "__main__":
    unittest.main()
