"""Securities by what they are called, in every command that shows or asks for them."""

import json

from tools.made_up_sina import demo_articles, publish


def test_a_security_is_shown_and_asked_for_by_its_name(site, net):
    """In a search, in what is shown and in an export; an unknown name is wrong usage."""
    one = demo_articles()[8]
    publish(net, [one])
    assert site.run("--once").returncode == 0
    (hit,) = json.loads(site.run("search", "公告", "--symbol", "石门水泥", "--json").stdout)
    assert hit["securities"] == [{"symbol": "sh600999", "name": "石门水泥"}]
    assert "sh600999 石门水泥" in site.run("show", str(hit["id"])).stdout
    line = site.run("export", "-", "--symbol", "石门水泥").stdout
    assert json.loads(line)["symbol_names"] == ["石门水泥"]
    for command in (["search", "公告"], ["export", "-"]):
        refused = site.run(*command, "--symbol", "石门")
        assert (refused.returncode, "nor what" in refused.stderr) == (2, True)
