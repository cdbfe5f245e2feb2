"""The configuration: what is read, what overrides it, and what is said about a bad one."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from ingestor.config import Settings, find, load
from ingestor.config.sections import FeedSettings
from ingestor.errors import ConfigError
from tools import ROOT

EXAMPLE = ROOT / "config.example.toml"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_loads_and_says_the_defaults():
    """What a new user copies is valid, and shows what is so without it."""
    settings = load(EXAMPLE, {})
    plain = Settings()
    assert settings.schedule == plain.schedule
    assert settings.archive.extra_front_matter == plain.archive.extra_front_matter
    for key in ("timeout", "max_bytes", "connections", "delay_per_host", "robots", "proxy"):
        assert getattr(settings.fetch, key) == getattr(plain.fetch, key)
    assert [(feed.name, feed.feed().content) for feed in settings.feeds] == [
        ("新浪财经－國內", "page"),
        ("新浪财经－宏观经济", "page"),
        ("新浪财经－7×24", "feed"),
    ]
    assert settings.feeds[2].address == "https://zhibo.sina.com.cn/api/zhibo/feed?zhibo_id=152"


def test_every_key_of_a_feed_stands_in_the_example():
    """In one of its feeds."""
    feeds = tomllib.loads(EXAMPLE.read_text("utf-8"))["feeds"]
    assert set().union(*feeds) == set(FeedSettings.model_fields)


@pytest.mark.parametrize("section", ["store", "archive", "fetch", "schedule", "service"])
def test_every_key_stands_in_the_example(section):
    """A key that is not documented there does not exist for users."""
    written = tomllib.loads(EXAMPLE.read_text("utf-8"))[section]
    known = Settings.model_fields[section].annotation.model_fields
    assert set(written) == set(known)


def test_relative_paths_are_relative_to_the_file(tmp_path):
    """The daemon's working folder does not matter."""
    settings = load(write(tmp_path, '[store]\nurl = "sqlite:///sub/a.db"\n'), {})
    assert settings.store.url == f"sqlite:///{tmp_path}/sub/a.db"
    assert settings.archive.dir == tmp_path / "archive"
    assert settings.archive.raw_dir == tmp_path / "warc"


def test_absolute_paths_stay(tmp_path):
    """Four slashes are SQLAlchemy's way to write one."""
    settings = load(write(tmp_path, '[store]\nurl = "sqlite:////var/a.db"\n'), {})
    assert settings.store.url == "sqlite:////var/a.db"


def test_the_environment_overrides_the_file(tmp_path):
    """Text, numbers and lists, as TOML would write them."""
    path = write(tmp_path, '[fetch]\nproxy = "http://a.example"\n')
    settings = load(
        path,
        {
            "INGEST_FETCH__PROXY": "http://b.example:3128",
            "INGEST_FETCH__CONNECTIONS": "3",
            "INGEST_SCHEDULE__EVERY": "2h",
            "INGEST_ARCHIVE__EXTRA_FRONT_MATTER": '["link"]',
            "INGEST_CONFIG": "ignored here",
        },
    )
    assert settings.fetch.proxy == "http://b.example:3128"
    assert settings.fetch.connections == 3
    assert settings.schedule.every == timedelta(hours=2)
    assert settings.archive.extra_front_matter == ("link",)


def test_folders_may_be_on_an_object_store(tmp_path):
    """Beside each other in one bucket; the spool is a folder here."""
    text = '[archive]\ndir = "s3://news/a"\nraw_dir = "s3://news//a-warc/"\n'
    archive = load(write(tmp_path, text), {}).archive
    assert (str(archive.dir), str(archive.raw_dir)) == ("s3://news/a", "s3://news/a-warc")
    assert archive.raw_dir.spool == tmp_path / "warc-spool"
    assert archive.images_dir == tmp_path / "images"


def test_a_byte_order_mark_is_no_error(tmp_path):
    """Some editors write one."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[fetch]\nconnections = 2\n")
    assert load(path, {}).fetch.connections == 2


FEED = '[[feeds]]\nname = "a"\nurl = "https://a.example/"\n'
BAD = {
    "an unknown key": (
        '[fetch]\ntimout = "3s"',
        'unknown key "fetch.timout"; did you mean "timeout"',
    ),
    "an unknown section": ("[fecth]\nx = 1", 'unknown key "fecth"; did you mean "fetch"'),
    "an unknown key of a feed": (
        FEED + 'knd = "rss"',
        'unknown key "feeds[1].knd"; did you mean "kind"',
    ),
    "no TOML": ("[fetch", "not valid TOML"),
    "a bad duration": ('[fetch]\ntimeout = "3 days"', "fetch.timeout: a duration such as"),
    "a bad size": ('[fetch]\nmax_bytes = "8 megs"', "fetch.max_bytes: a size such as"),
    "a number that is none": ('[fetch]\nconnections = "many"', "fetch.connections: "),
    "a feed without a name": (
        '[[feeds]]\nurl = "https://a.example/"',
        "feeds[1].name: Field required",
    ),
    "a feed without an address": (
        '[[feeds]]\nname = "a"',
        'feeds[1]: url: a feed of kind "rss" needs one',
    ),
    "a bad address": (
        '[[feeds]]\nname = "a"\nurl = "ftp://x/"',
        "feeds[1].url: an address that begins",
    ),
    "an address with a broken host": (
        '[[feeds]]\nname = "a"\nurl = "https://[::1/"',
        "feeds[1].url: not an address",
    ),
    "an address with an impossible port": (
        '[[feeds]]\nname = "a"\nurl = "https://a.example:99999/"',
        "feeds[1].url: not an address",
    ),
    "an address with a space": (
        '[[feeds]]\nname = "a"\nurl = "https://a.example/x y"',
        "feeds[1].url: an address has no spaces",
    ),
    "a database that is no file": ('[store]\nurl = "sqlite://"', "store.url: it names no file"),
    "no time at all": ('[fetch]\ntimeout = "0s"', "fetch.timeout: more than nothing"),
    "raw files inside the archive": (
        '[archive]\nraw_dir = "archive/warc"',
        "archive.raw_dir: lies inside archive.dir",
    ),
    "a store of an unknown kind": (
        '[archive]\ndir = "gs://bucket/x"',
        'archive.dir: no store is known at "gs:"; give a path or "s3://bucket/prefix"',
    ),
    "a store without a bucket": (
        '[archive]\nraw_dir = "s3://"',
        'archive.raw_dir: an address such as "s3://bucket/prefix" is wanted',
    ),
    "an address with a query": (
        '[archive]\nimages_dir = "s3://bucket/x?versionId=1"',
        'archive.images_dir: an address such as "s3://bucket/prefix" is wanted',
    ),
    "credentials in an address": (
        '[archive]\ndir = "s3://me:hush@bucket/x"',
        "archive.dir: credentials do not stand in the address; use AWS_ACCESS_KEY_ID",
    ),
    "raw files inside the archive on a store": (
        '[archive]\ndir = "s3://bucket/x/"\nraw_dir = "s3://bucket/x/warc"',
        "archive.raw_dir: lies inside archive.dir",
    ),
    "a channel without its numbers": (
        '[[feeds]]\nname = "a"\nkind = "sina-roll"\npageid = 155',
        "pageid, lid: a feed of kind",
    ),
    "the same name twice": (FEED + FEED, 'two feeds are named "a"'),
    "a user agent that no header can hold": ('[fetch]\nuser_agent = "新浪"', "fetch.user_agent: "),
    "pictures inside the archive": (
        '[archive]\nimages_dir = "archive/images"',
        "archive.images_dir: lies inside archive.dir",
    ),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_configuration_is_one_line_that_names_the_key(tmp_path, text, said):
    """The file, the key, and what is wanted."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_said(tmp_path):
    """A file saved as GBK is not guessed at."""
    path = tmp_path / "config.toml"
    path.write_bytes('[[feeds]]\nname = "新浪"'.encode("gbk"))
    with pytest.raises(ConfigError, match="not in UTF-8"):
        load(path, {})


def test_a_named_file_that_is_not_there_is_said(tmp_path):
    """With the command that makes one."""
    with pytest.raises(ConfigError, match="ingest init"):
        find(tmp_path / "none.toml", {})


def test_the_environment_names_the_file(tmp_path):
    """INGEST_CONFIG, where --config is not given."""
    path = write(tmp_path, "")
    assert find(None, {"INGEST_CONFIG": str(path)}) == path


def test_a_mistake_in_the_environment_names_the_variable(tmp_path):
    """The file is not to blame."""
    path = write(tmp_path, FEED)
    with pytest.raises(ConfigError, match=r"^INGEST_FETCH__TIMEOUT: fetch.timeout: a duration"):
        load(path, {"INGEST_FETCH__TIMEOUT": "abc"})
    with pytest.raises(ConfigError, match=r"^INGEST_FOO__BAR: unknown key .foo"):
        load(path, {"INGEST_FOO__BAR": "1"})


def test_a_channel_is_a_whole_feed(tmp_path):
    """Its name gives kind, numbers and, where there is none, the feed's name."""
    text = '[[feeds]]\nchannel = "宏观经济"\n[[feeds]]\nname = "央行"\nkind = "sina-live"\nchannel = "央行"\n'
    roll, live = load(write(tmp_path, text), {}).feeds
    assert (roll.name, roll.kind, roll.pageid, roll.lid) == (
        "新浪财经－宏观经济",
        "sina-roll",
        155,
        1687,
    )
    assert roll.address.endswith("?pageid=155&lid=1687")
    assert live.feed().options == {"zhibo_id": 152, "tag": 7}
    assert (live.name, live.feed().content) == ("央行", "feed")


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ('channel = "宏观经齐"', 'did you mean "宏观经济"'),
        ('channel = "宏观经济"\nlid = 1', 'lid: the channel "宏观经济" has 1687'),
        ('channel = "宏观经济"\nkind = "rss"', 'a feed of kind "rss" has none'),
        ('channel = "宏观经济"\nkind = "sina-live"', 'did you mean "宏观"'),
        ('channel = ""\nname = "x"', 'there is no channel ""'),
        ('kind = "sina-roll"\nname = "x"', "needs both, or a channel"),
        ('kind = "sitemap"\nname = "x"', 'a feed of kind "sitemap" needs one'),
    ],
)
def test_a_channel_that_cannot_be_is_said(channel, said, tmp_path):
    """In one line that names what is near."""
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, f"[[feeds]]\n{channel}\n"), {})
    assert said in str(refused.value)
    assert "feeds[1]" in str(refused.value)


def test_a_channel_of_a_name_that_several_have(tmp_path):
    """The plain name means the one of the finance pages; the section tells them apart."""
    names = ("财经", "news.sina.com.cn/roll/财经", "Ａ股", "7x24")
    text = "".join(f'[[feeds]]\nname = "{name}"\nchannel = "{name}"\n' for name in names)
    feeds = load(write(tmp_path, text), {}).feeds
    assert [(feed.lid, feed.tag) for feed in feeds] == [(2519, 0), (2516, 0), (None, 10), (None, 0)]
