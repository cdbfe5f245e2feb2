"""The configuration: what is read, what overrides it, and what is said about a bad one."""

import itertools
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from ingestor.config import Settings, find, load
from ingestor.config.sections import FeedSettings, WatchSettings
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


PYDANTIC = re.compile(
    r"Input should|valid (tuple|string|integer)|Field required|Value error", re.IGNORECASE
)
"""Words of a library, which say nothing to a person."""

FEED = '[[feeds]]\nname = "a"\nurl = "https://a.example/"\n'
BAD = {
    "an unknown key": (
        '[fetch]\ntimout = "3s"',
        'unknown key "fetch.timout"; did you mean "timeout"',
    ),
    "an unknown section": ("[fecth]\nx = 1", 'unknown key "fecth"; did you mean "fetch"'),
    "an unknown key of a feed": (
        FEED + 'knd = "rss"',
        'feed "a": unknown key "knd"; did you mean "kind"',
    ),
    "no TOML": ("[fetch", "not valid TOML"),
    "a bad duration": ('[fetch]\ntimeout = "3 days"', "fetch.timeout: a duration such as"),
    "a bad size": ('[fetch]\nmax_bytes = "8 megs"', "fetch.max_bytes: a size such as"),
    "a number that is none": ('[fetch]\nconnections = "many"', "fetch.connections: "),
    "a feed without a name": (
        '[[feeds]]\nurl = "https://a.example/"',
        "feeds[1]: name: is missing",
    ),
    "a feed without an address": (
        '[[feeds]]\nname = "a"',
        'feed "a": url: a feed of kind "rss" needs one',
    ),
    "a bad address": (
        '[[feeds]]\nname = "a"\nurl = "ftp://x/"',
        'feed "a": url: an address that begins',
    ),
    "an address with a broken host": (
        '[[feeds]]\nname = "a"\nurl = "https://[::1/"',
        'feed "a": url: not an address',
    ),
    "an address with an impossible port": (
        '[[feeds]]\nname = "a"\nurl = "https://a.example:99999/"',
        'feed "a": url: not an address',
    ),
    "an address with a space": (
        '[[feeds]]\nname = "a"\nurl = "https://a.example/x y"',
        'feed "a": url: an address has no spaces',
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


WRONG_VALUES = ["5", "-1", "0.5", "true", '""', '"?"', '["x", 5]', "{a = 1}", "2024-01-01", "[]"]
KEYS = [
    (section, key)
    for section, field in Settings.model_fields.items()
    if section not in {"feeds", "watch"}
    for key in field.annotation.model_fields
]
KEYS += [("[feeds]", key) for key in FeedSettings.model_fields]
KEYS += [("[watch]", key) for key in WatchSettings.model_fields]
BESIDE = {
    "[feeds]": {"name": '"甲"', "url": '"https://a.example/"'},
    "[watch]": {"name": '"甲"', "feed": '"hits.xml"'},
}


@pytest.mark.parametrize(("place", "value"), list(itertools.product(KEYS, WRONG_VALUES)), ids=str)
def test_whatever_is_wrong_with_a_key_is_said_in_a_users_words(tmp_path, place, value):
    """With the line and the key; and never as the library that finds it says it."""
    section, key = place
    beside = "".join(
        f"{name} = {text}\n" for name, text in BESIDE.get(section, {}).items() if name != key
    )
    path = write(tmp_path, f"[{section}]\n{key} = {value}\n{beside}")
    try:
        load(path, {})
    except ConfigError as error:
        for line in str(error).splitlines():
            assert line.startswith((f"{path}:2: ", f"{path}:1: ")), line
            assert key in line
            assert not PYDANTIC.search(line), line


WORDS = {
    "a text where a list is wanted": (
        FEED + 'categories = "金融"',
        'config.toml:4: feed "a": categories: must be a list of texts, such as ["a", "b"], not "金融"',
    ),
    "a number in a list of texts": (
        FEED + 'categories = ["金融", 5]',
        'config.toml:4: feed "a": categories[2]: must be a text in quotes ("…"), not 5',
    ),
    "a list of durations": (
        '[schedule]\nrecheck = "1h"',
        'config.toml:2: schedule.recheck: must be a list of durations, such as ["1h", "6h"], not "1h"',
    ),
    "a choice": (
        '[archive]\nraw = "zip"',
        'config.toml:2: archive.raw: must be "warc" or "off", not "zip"',
    ),
    "a number that is too large": (
        "[fetch]\nconnections = 1000",
        "config.toml:2: fetch.connections: must be at most 256, not 1000",
    ),
    "a word for yes": (
        '[fetch]\nrobots = "perhaps"',
        'config.toml:2: fetch.robots: must be true or false, not "perhaps"',
    ),
    "an empty name": (
        '[[feeds]]\nname = ""\nurl = "https://a.example/"',
        "config.toml:2: feeds[1]: name: must not be empty",
    ),
    "one bracket": (
        '[feeds]\nname = "a"',
        'config.toml:1: feeds: must be [[feeds]] sections, each with two brackets, not {"name": "a"}',
    ),
    "a section that is a value": (
        "fetch = 5",
        "config.toml:1: fetch: must be a section of its own, [fetch], not 5",
    ),
    "a key that is not given": (
        FEED + '\n[[feeds]]\nname = "新浪"\n',
        'config.toml:5: feed "新浪": url: a feed of kind "rss" needs one',
    ),
    "another database": (
        '[store]\nurl = "mysql://x/y"',
        'config.toml:2: store.url: "sqlite:///archive.db" or "postgresql+psycopg://…" is wanted',
    ),
    "an address without a port": (
        '[service]\nlisten = "localhost"',
        'config.toml:2: service.listen: an address such as "127.0.0.1:9464" is wanted',
    ),
}


@pytest.mark.parametrize(("text", "said"), WORDS.values(), ids=WORDS)
def test_a_mistake_is_said_with_its_line(tmp_path, text, said):
    """A feed by its name."""
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, text), {})
    assert str(refused.value) == f"{tmp_path}/{said}"


CHINESE = {
    "quotes": ("name = “新浪”", '“ ” are Chinese; write "'),
    "a quote that only ends": ('name = "新浪“', '“ is Chinese; write "'),
    "single quotes": ("name = ‘新浪’", "‘ ’ are Chinese; write '"),
    "corner brackets": ("name = 「新浪」", '「 」 are Chinese; write "'),
    "a comma": ('categories = ["a"，"b"]', "， is Chinese; write ,"),
    "an enumeration comma": ('categories = ["a"、"b"]', "、 is Chinese; write ,"),
    "an equals sign": ('name＝"新浪"', "＝ is Chinese; write ="),
    "a colon": ('name："新浪"', "： is Chinese; write ="),
    "brackets": ("［［feeds］］", "［ ］ are Chinese; write [ ]"),
    "several": ("categories ＝ [“a”，“b”]", '＝ “ ” ， are Chinese; write = " ,'),
}


@pytest.mark.parametrize(("line", "said"), CHINESE.values(), ids=CHINESE)
def test_chinese_punctuation_is_named_as_the_cause(tmp_path, line, said):
    """With the line; what else is wrong in the file is said as well."""
    path = write(
        tmp_path,
        f'# “好”，＝\n[fetch]\nrobots = 5\n[[feeds]]\nurl = "https://a.example/"\n{line}\n',
    )
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    lines = str(refused.value).splitlines()
    assert f"{path}:6: not valid TOML: {said}; the line: {line}" in lines
    assert any(other.startswith(f"{path}:3: fetch.robots: ") for other in lines)


def test_chinese_punctuation_inside_texts_and_comments_is_none_of_it(tmp_path):
    """It is what names are made of."""
    name = "“新浪”，＝「财经」"
    text = f"[[feeds]] # “注”，\nname = \"{name}\"\nurl = 'https://a.example/' # ＝\n"
    (feed,) = load(write(tmp_path, text), {}).feeds
    assert feed.name == name


NO_TOML = {
    "a quote is missing": ('author = "新浪', "closing quote is missing"),
    "a text without quotes": ("author = 新浪", "texts stand in quotes"),
    "Python's word": ("robots = True", "it is true or false"),
    "a colon as in YAML": ('author: "x"', '"=" is missing'),
    "a list is not closed": ('categories = ["a"', '"]" is missing'),
    "a section is not closed": ("[cluster", '"]" is missing'),
    "a backslash": (r'author = "C:\data"', "backslash"),
    "the same key twice": ('url = "https://b.example/"', "is there already, further up"),
    "something behind a value": ('author = "a" b', "more behind the value"),
    "just words": ("some words", '"=" is missing'),
}


@pytest.mark.parametrize(("line", "said"), NO_TOML.values(), ids=NO_TOML)
def test_what_is_no_toml_is_said_with_its_line_and_the_rest_is_read(tmp_path, line, said):
    """One run shows all mistakes, and none that follows from another."""
    path = write(
        tmp_path,
        f'[[feeds]]\nname = "a"\nurl = "https://a.example/"\n{line}\n\n[fetch]\ntimeout = 5\n',
    )
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    first, *others = str(refused.value).splitlines()
    assert first.startswith(f"{path}:4: not valid TOML: ")
    assert said in first
    assert first.endswith(f"; the line: {line}")
    assert f"{path}:7: fetch.timeout: " in others[-1]


def test_a_name_that_two_have_is_said_though_one_is_wrong_otherwise(tmp_path):
    """On the line of the second; so is a section whose name is none, with its first line."""
    text = f'{FEED}[[feeds]]\nname = "a"\nurl = "x"\n[[feed]]\nname = "b"\n'
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    said = [line.removeprefix(f"{path}:") for line in str(refused.value).splitlines()]
    assert said == [
        '5: two feeds are named "a"; give each its own name',
        '6: feed "a": url: an address that begins with "http://" or "https://" is wanted',
        '7: unknown key "feed"; did you mean "feeds"?',
    ]


def test_all_mistakes_are_said_at_once(tmp_path):
    """A line each, in the order of the file; a list of several lines has the line of its key."""
    text = """[fetch]
timeout = "3 days"
conections = 5
[archive]
raw_dir = "archive/warc"
[[feeds]]
name = "甲"
url = "ftp://x/"
[[feeds]]
name = "乙"
kind = "rs"
url = "https://a.example/"
[[feeds]]
name = "乙"
url = "https://b.example/"
categories = [
  "金融",
  "新浪财经",
]
every = "soon"
"""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path, {"INGEST_FETCH__ROBOTS": "maybe"}, ["rss", "sitemap"])
    lines = [line.removeprefix(f"{path}:") for line in str(refused.value).splitlines()]
    assert [line.partition(" ")[0] for line in lines] == [
        "INGEST_FETCH__ROBOTS:",
        "2:",
        "3:",
        "5:",
        "8:",
        "11:",
        "14:",
        "20:",
    ]
    assert lines[5] == '11: feed "乙": there is no feed kind "rs"; there are: rss, sitemap'


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_configuration_is_one_line_that_names_the_key(tmp_path, text, said):
    """The file, the key, and what is wanted."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert re.match(rf"{re.escape(str(path))}:\d+: ", str(caught.value))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_said(tmp_path):
    """A file saved as GBK is not guessed at."""
    path = tmp_path / "config.toml"
    path.write_bytes('[[feeds]]\nname = "新浪"'.encode("gbk"))
    with pytest.raises(ConfigError, match="not in UTF-8"):
        load(path, {})


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_of_wide_characters_is_no_utf8(tmp_path, encoding):
    """Whether it begins with a mark or not, and though half of it looks well."""
    path = tmp_path / "config.toml"
    path.write_bytes(FEED.encode(encoding))
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    assert str(refused.value) == f"{path}: is not in UTF-8; save it as UTF-8"


MEANT = {
    "https：//a.example/x": "https://a.example/x",
    "HTTP://a.example/x": "http://a.example/x",
    " https://a.example/x ": "https://a.example/x",
    "ｈｔｔｐｓ://a.example/x": "https://a.example/x",
    "finance.sina.com.cn/rss.xml": "https://finance.sina.com.cn/rss.xml",
    "ftp://a.example/x": None,
    "rss.xml of Sina": None,
    "HTTPS://me:secret@a.example/": None,
    "": None,
}


@pytest.mark.parametrize(("given", "meant"), MEANT.items(), ids=repr)
def test_an_address_that_is_nearly_one_is_said_as_it_may_be_meant(tmp_path, given, meant):
    """In full-width signs, in capitals, between spaces, or without its scheme."""
    path = write(tmp_path, f'[[feeds]]\nname = "甲"\nurl = "{given}"\n')
    with pytest.raises(ConfigError) as refused:
        load(path, {})
    ending = f'wanted; did you mean "{meant}"?' if meant else "wanted"
    assert str(refused.value) == (
        f'{path}:3: feed "甲": url: an address that begins with "http://" or "https://" is {ending}'
    )


@pytest.mark.parametrize(
    "address",
    ["sqlite://a.db", "sqlite:/a.db", "sqlite+x:///a.db", "postgresql:a", "mysql://x/", "a.db"],
)
def test_an_address_of_no_database_is_said(tmp_path, address):
    """With one of each kind to go by."""
    path = write(tmp_path, f'[store]\nurl = "{address}"\n{FEED}')
    with pytest.raises(ConfigError, match=r':2: store.url: "sqlite:///archive.db" or "postgresql'):
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


def test_a_variable_with_one_underscore_for_two_is_said(tmp_path):
    """Else it would be passed over; what is of no key is somebody else's."""
    slips = {"INGEST_FETCH_TIMEOUT": "5s", "INGEST_STORE_URL": "x", "INGEST_FETCH_ODD": "1"}
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, FEED), slips)
    assert str(refused.value).splitlines() == [
        "INGEST_STORE_URL: is written INGEST_STORE__URL",
        "INGEST_FETCH_TIMEOUT: is written INGEST_FETCH__TIMEOUT",
    ]


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
    assert re.search(r"config\.toml:\d+: feed(s\[1\]| \".*\"):? ", str(refused.value))


def test_a_channel_of_a_name_that_several_have(tmp_path):
    """The plain name means the one of the finance pages; the section tells them apart."""
    names = ("财经", "news.sina.com.cn/roll/财经", "Ａ股", "7x24")
    text = "".join(f'[[feeds]]\nname = "{name}"\nchannel = "{name}"\n' for name in names)
    feeds = load(write(tmp_path, text), {}).feeds
    assert [(feed.lid, feed.tag) for feed in feeds] == [(2519, 0), (2516, 0), (None, 10), (None, 0)]
