"""Which provider is chosen, which tests are run, which packages are fetched: the pure parts of the set-up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import browser, given, packages, rabbitmq, servers, testing, up
from deploy.local.children import Unavailable

FEWER = ["--hypothesis-profile", "quick"]
WORKERS = ["-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]


def test_the_chain_is_url_container_installed_bundled() -> None:
    assert servers.order(None, {}) == ("url", "container", "installed", "bundled")


def test_one_provider_can_be_forced_by_argument_or_environment() -> None:
    assert servers.order("bundled", {"SERVERS": "container"}) == ("bundled",)
    assert servers.order(None, {"SERVERS": "container"}) == ("container",)


def test_servers_of_a_tests_own_are_never_somebodys() -> None:
    assert "url" not in servers.order(None, {}, own=True)


def test_a_provider_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'cloud'"):
        servers.order(None, {"SERVERS": "cloud"})


def test_a_server_that_was_not_named_will_not_do() -> None:
    with pytest.raises(Unavailable, match="TEST_DATABASE_URL is not set"):
        given.database({})
    with pytest.raises(Unavailable, match="TEST_BROKER_URL is not set"):
        given.bus({})


def test_unit_starts_no_server_and_leaves_out_the_slow() -> None:
    chosen = testing.arguments(["--unit", "--servers", "installed"], cores=8)
    assert chosen == [*FEWER, *WORKERS, "-m", "not slow", "tests/unit", "tests/contract"]


def test_a_full_run_has_a_few_workers() -> None:
    assert testing.arguments([], cores=64)[:2] == ["-n", "4"]
    assert testing.arguments([], cores=1)[:2] == ["-n", "2"]


def test_a_quick_run_leaves_out_the_slow() -> None:
    chosen = testing.arguments(["--quick"], cores=2)
    assert "not slow" in chosen
    assert "tests/integration" in chosen
    assert "tests/faults" not in chosen


def test_a_path_and_pytests_own_options_are_passed_on() -> None:
    chosen = testing.arguments(["--unit", "tests/unit/local", "-k", "chain", "-x"], cores=8)
    assert chosen == [*FEWER, *WORKERS, "-m", "not slow", "tests/unit/local", "-k", "chain", "-x"]


def test_the_plan_of_apt_is_read_with_versions_upgrades_and_foreign_architectures() -> None:
    text = (
        "Reading package lists...\n"
        "Inst erlang-base (1:25.2.3+dfsg-1+deb12u4 Debian:12.15/oldstable [amd64])\n"
        "Inst libssl3:amd64 [3.0.1] (3.0.9-1 Debian:12/stable [amd64]) []\n"
        "Conf erlang-base (1:25.2.3+dfsg-1+deb12u4 Debian:12.15/oldstable [amd64])\n"
    )
    assert packages.planned(text) == {"erlang-base": "1:25.2.3+dfsg-1+deb12u4", "libssl3": "3.0.9-1"}


def test_of_what_a_program_needs_the_libraries_are_asked_for_and_not_its_desktop() -> None:
    text = (
        "chromium-headless-shell\n  Depends: libasound2\n |Depends: libgtk-3-0\n  Depends: <libvirtual>\n"
        "  PreDepends: dpkg\n  Depends: libstdc++6\n  Depends: chromium-common\n"
    )
    assert packages.libraries(text) == ["libasound2", "libstdc++6"]


def test_a_browser_is_given_or_installed_or_bundled_and_one_way_can_be_forced() -> None:
    assert browser.order({}) == ("given", "installed", "bundled")
    assert browser.order({"TEST_BROWSER": "bundled"}) == ("bundled",)
    assert browser.order({"TEST_BROWSER": "/opt/chrome"}) == ("given",)


def test_without_a_browser_the_ways_to_get_one_are_said(tmp_path: Path) -> None:
    shell = tmp_path / "chrome"
    shell.write_text("#!/bin/sh\necho there is only a snap >&2\nexit 1\n")
    shell.chmod(0o755)
    for path, why in ((shell, "there is only a snap"), (tmp_path / "none", "No such file")):
        with pytest.raises(browser.NoBrowser) as missing:
            browser.find({"TEST_BROWSER": str(path)})
        assert why in str(missing.value)
        assert browser.WAYS in str(missing.value)


def test_an_unpacked_browser_brings_its_libraries_wherever_they_lie_and_its_font(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="hold no chromium"):
        browser.unpacked(tmp_path)
    for name in (
        "usr/lib/chromium/chromium-headless-shell",
        "usr/lib/x86_64-linux-gnu/libnss3.so",
        "usr/lib/x86_64-linux-gnu/pulseaudio/libpulsecommon-16.1.so",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = browser.unpacked(tmp_path)
    folder = tmp_path / "usr/lib/x86_64-linux-gnu"
    assert found.environ["LD_LIBRARY_PATH"] == f"{folder}:{folder}/pulseaudio"
    assert "Liberation Sans" in Path(found.environ["FONTCONFIG_FILE"]).read_text()


def test_erlang_finds_itself_where_it_stands(tmp_path: Path) -> None:
    erl = tmp_path / "usr/lib/erlang/bin/erl"
    erl.parent.mkdir(parents=True)
    erl.write_text('if [ -z "$ERL_ROOTDIR" ]\nthen\n    ROOTDIR=/usr/lib/erlang\nfi\nBINDIR="$ROOTDIR/erts-13/bin"\n')
    packages.relocate(tmp_path)
    text = erl.read_text()
    assert "/usr/lib/erlang" not in text
    assert 'BINDIR="$ROOTDIR/erts-13/bin"' in text


def test_a_version_is_read_off_the_folder_of_scripts() -> None:
    assert rabbitmq.version(Path("/usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin")) == "3.10.8"
    assert rabbitmq.version(Path("/opt/homebrew/Cellar/rabbitmq/4.2.1/sbin")) == "4.2.1"
    assert rabbitmq.version(Path("/somewhere/sbin")) == "?"


def test_what_is_missing_for_the_real_e_conomic_is_named_at_once_and_each_thing_once() -> None:
    problems = up.wrong({})
    assert {"BROKER_URL is missing", "ECONOMIC_APP_SECRET is missing"} <= set(problems)
    assert len(problems) == len(set(problems))


@pytest.mark.parametrize("given", [{"DEMO_SIGN_IN": "on"}, {"CRM_KEYS": "2026a=00, demo=00"}])
def test_the_demos_sign_in_is_refused_for_the_real_e_conomic(given: dict[str, str]) -> None:
    assert any("the demo's sign-in is on" in one for one in up.wrong(given))
    assert not any("sign-in" in one for one in up.wrong({"CRM_KEYS": "2026a=00"}))


def test_the_demos_crm_starts_in_the_demo_alone() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "DEMO_SIGN_IN"}
    command = [sys.executable, "-m", "deploy.local.demo.crm", "--port", "1"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "that is for the demo alone" in done.stderr
