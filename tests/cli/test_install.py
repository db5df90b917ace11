# SPDX-FileCopyrightText: 2026 The xenograft authors
# SPDX-License-Identifier: MIT
"""Installs into the stage that the other tests use; the tree is complete and may be moved."""
import glob
import os
import shutil
import subprocess
import unittest

import cli

IDS = ["squeezenet1_0", "squeezenet1_1", "mobilenet_v2", "resnet18", "resnet50", "frozen",
       "partial", "full", "scratch", "openblas", "safetensors"]


class Install(cli.Case):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(cli.STAGE, ignore_errors=True)
        subprocess.run([*os.environ["XG_TEST_MESON"].split("\n"), "install", "--no-rebuild",
                        "--quiet", "-C", os.environ["XG_TEST_BUILD"], "--destdir", cli.STAGE],
                       check=True)

    def installed(self, *names):
        path = os.path.join(cli.INSTALLED, *names)
        self.assertTrue(os.path.exists(path), path + " is not installed")
        return path

    def test_complete(self):
        self.installed(cli.BINDIR, "xenograft")
        library = self.installed(cli.LIBDIR, "libxenograft.so.0")
        self.installed(cli.LIBDIR, "pkgconfig", "xenograft-plugin-1.pc")
        self.installed(cli.LIBDIR, "pkgconfig", "xenograft-1.pc")
        self.assertEqual(len(glob.glob(os.path.join(cli.INSTALLED, "share/man/man1/xenograft.1*"))),
                         1)
        plugins = self.installed(cli.LIBDIR, "xenograft", "plugins-1")
        for name in ("squeezenet", "mobilenet", "resnet", "frozen", "partial", "full", "scratch"):
            self.assertTrue(glob.glob(os.path.join(plugins, "*%s*.so" % name)), name)
        headers = os.path.join(cli.SOURCE, "sdk", "include")
        for folder, _, files in os.walk(headers):
            for file in files:
                if file.endswith(".h"):
                    name = os.path.relpath(os.path.join(folder, file), headers)
                    self.installed("include", "xenograft-1", name)
        if shutil.which("readelf"):
            dynamic = subprocess.run(["readelf", "-d", library], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout
            self.assertRegex(dynamic, r"SONAME.*\[libxenograft\.so\.0\]")

    def test_names_no_build_folder(self):
        for name in ("xenograft-1.pc", "xenograft-plugin-1.pc"):
            text = cli.read(self.installed(cli.LIBDIR, "pkgconfig", name))
            self.assertNotIn(os.environ["XG_TEST_BUILD"], text)
            self.assertNotIn(cli.STAGE, text)

    def test_moved(self):
        shutil.copytree(cli.INSTALLED, self.at("moved here"), symlinks=True)
        command = self.at("moved here", cli.BINDIR, "xenograft")
        text = self.xenograft("list", "--json", command=command).stdout
        for name in IDS:
            self.assertIn('"%s"' % name, text)
        self.assertIn(self.at("moved here"), text)
        self.assertNotIn(cli.INSTALLED + os.sep, text)
        self.assertIn("xenograft", self.xenograft("--version", command=command).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
