-- The schema of a new SQLite database, as all migrations leave it. Made by `make docs`.

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE captures (
	id INTEGER NOT NULL, 
	url TEXT NOT NULL, 
	final_url TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	fetched_at TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	warc_file TEXT, 
	warc_offset INTEGER, 
	warc_length INTEGER, 
	CONSTRAINT pk_captures PRIMARY KEY (id)
);
CREATE INDEX ix_captures_url ON captures (url);
CREATE TABLE feeds (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	url TEXT DEFAULT '' NOT NULL, 
	title TEXT DEFAULT '' NOT NULL, 
	etag TEXT DEFAULT '' NOT NULL, 
	last_modified TEXT DEFAULT '' NOT NULL, 
	body_sha256 TEXT DEFAULT '' NOT NULL, 
	interval_s INTEGER DEFAULT '300' NOT NULL, 
	next_poll_at TEXT, 
	last_ok_at TEXT, 
	last_new_at TEXT, 
	last_error TEXT DEFAULT '' NOT NULL, 
	failures INTEGER DEFAULT '0' NOT NULL, 
	active INTEGER DEFAULT '1' NOT NULL, moved_to TEXT DEFAULT '' NOT NULL, moved_polls INTEGER DEFAULT '0' NOT NULL, retry_at TEXT, stopped TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_feeds PRIMARY KEY (id), 
	CONSTRAINT uq_feeds_name UNIQUE (name)
);
CREATE TABLE articles (
	id INTEGER NOT NULL, 
	url TEXT NOT NULL, 
	date TEXT NOT NULL, 
	document_id TEXT, 
	title TEXT NOT NULL, 
	author TEXT DEFAULT '' NOT NULL, 
	media TEXT DEFAULT '' NOT NULL, 
	editor TEXT DEFAULT '' NOT NULL, 
	summary TEXT DEFAULT '' NOT NULL, 
	headimg TEXT DEFAULT '' NOT NULL, 
	content_html TEXT NOT NULL, 
	content_text TEXT NOT NULL, 
	content_sha256 TEXT NOT NULL, 
	published_at TEXT, 
	first_seen_at TEXT NOT NULL, 
	updated_at TEXT, 
	revision INTEGER DEFAULT '1' NOT NULL, 
	path TEXT NOT NULL, 
	origin TEXT DEFAULT '' NOT NULL, 
	template TEXT DEFAULT '' NOT NULL, 
	categories TEXT DEFAULT '' NOT NULL, 
	feed_id INTEGER, 
	file_sha256 TEXT, 
	checks INTEGER DEFAULT '0' NOT NULL, 
	next_check_at TEXT, 
	etag TEXT DEFAULT '' NOT NULL, 
	last_modified TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_articles PRIMARY KEY (id), 
	CONSTRAINT ck_articles_origin CHECK (origin IN ('page', 'feed', 'import')), 
	CONSTRAINT fk_articles_feed_id FOREIGN KEY(feed_id) REFERENCES feeds (id), 
	CONSTRAINT uq_articles_document_id_date UNIQUE (document_id, date), 
	CONSTRAINT uq_articles_url_date UNIQUE (url, date)
);
CREATE INDEX ix_articles_check_due ON articles (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX ix_articles_file_due ON articles (id) WHERE file_sha256 IS NULL;
CREATE INDEX ix_articles_first_seen_at ON articles (first_seen_at);
CREATE INDEX ix_articles_published_at ON articles (published_at);
CREATE TABLE aliases (
	url TEXT NOT NULL, 
	article_id INTEGER NOT NULL, 
	CONSTRAINT pk_aliases PRIMARY KEY (url, article_id), 
	CONSTRAINT fk_aliases_article_id FOREIGN KEY(article_id) REFERENCES articles (id)
);
CREATE INDEX ix_aliases_article_id ON aliases (article_id);
CREATE TABLE entries (
	id INTEGER NOT NULL, 
	feed_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	guid TEXT DEFAULT '' NOT NULL, 
	url TEXT DEFAULT '' NOT NULL, 
	title TEXT DEFAULT '' NOT NULL, 
	published_at TEXT, 
	date_text TEXT DEFAULT '' NOT NULL, 
	author TEXT DEFAULT '' NOT NULL, 
	summary TEXT DEFAULT '' NOT NULL, 
	content TEXT DEFAULT '' NOT NULL, 
	keywords TEXT DEFAULT '' NOT NULL, 
	state TEXT DEFAULT 'pending' NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_attempt_at TEXT, 
	error TEXT DEFAULT '' NOT NULL, 
	article_id INTEGER, 
	seen_at TEXT NOT NULL, symbols TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_entries PRIMARY KEY (id), 
	CONSTRAINT ck_entries_state CHECK (state IN ('pending', 'done', 'parked')), 
	CONSTRAINT fk_entries_article_id FOREIGN KEY(article_id) REFERENCES articles (id), 
	CONSTRAINT fk_entries_feed_id FOREIGN KEY(feed_id) REFERENCES feeds (id), 
	CONSTRAINT uq_entries_feed_id_key UNIQUE (feed_id, "key")
);
CREATE INDEX ix_entries_article_id ON entries (article_id);
CREATE INDEX ix_entries_url ON entries (url);
CREATE TABLE images (
	article_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	url TEXT NOT NULL, 
	caption TEXT DEFAULT '' NOT NULL, 
	path TEXT, 
	CONSTRAINT pk_images PRIMARY KEY (article_id, position), 
	CONSTRAINT fk_images_article_id FOREIGN KEY(article_id) REFERENCES articles (id)
);
CREATE TABLE keywords (
	article_id INTEGER NOT NULL, 
	keyword TEXT NOT NULL, 
	CONSTRAINT pk_keywords PRIMARY KEY (article_id, keyword), 
	CONSTRAINT fk_keywords_article_id FOREIGN KEY(article_id) REFERENCES articles (id)
);
CREATE INDEX ix_keywords_keyword ON keywords (keyword);
CREATE TABLE revisions (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	article_id INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	cause TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	title TEXT NOT NULL, 
	content_html TEXT NOT NULL, 
	content_text TEXT NOT NULL, 
	content_sha256 TEXT NOT NULL, 
	capture_id INTEGER, 
	CONSTRAINT ck_revisions_cause CHECK (cause IN ('new', 'edit', 'reextract', 'import')), 
	CONSTRAINT fk_revisions_article_id FOREIGN KEY(article_id) REFERENCES articles (id), 
	CONSTRAINT fk_revisions_capture_id FOREIGN KEY(capture_id) REFERENCES captures (id), 
	CONSTRAINT uq_revisions_article_id_revision UNIQUE (article_id, revision)
);
CREATE TABLE sightings (
	article_id INTEGER NOT NULL, 
	feed_id INTEGER NOT NULL, 
	guid TEXT DEFAULT '' NOT NULL, 
	seen_at TEXT NOT NULL, 
	CONSTRAINT pk_sightings PRIMARY KEY (article_id, feed_id), 
	CONSTRAINT fk_sightings_article_id FOREIGN KEY(article_id) REFERENCES articles (id), 
	CONSTRAINT fk_sightings_feed_id FOREIGN KEY(feed_id) REFERENCES feeds (id)
);
CREATE INDEX ix_sightings_feed_id ON sightings (feed_id);
CREATE TABLE symbols (
	article_id INTEGER NOT NULL, 
	symbol TEXT NOT NULL, 
	market TEXT NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_symbols PRIMARY KEY (article_id, symbol), 
	CONSTRAINT fk_symbols_article_id FOREIGN KEY(article_id) REFERENCES articles (id)
);
CREATE INDEX ix_symbols_symbol ON symbols (symbol);
CREATE VIRTUAL TABLE articles_fts USING fts5(title, content, content='', detail=none, tokenize='unicode61 remove_diacritics 0');
CREATE VIEW known_revisions AS
SELECT r.sequence, r.article_id, a.url, a.date, a.published_at, r.revision, r.cause,
       r.title, r.content_text, r.seen_at AS known_from,
       (SELECT n.seen_at FROM revisions n
         WHERE n.article_id = r.article_id AND n.revision = r.revision + 1) AS known_until
  FROM revisions r JOIN articles a ON a.id = r.article_id;
CREATE VIEW changes AS
SELECT r.sequence, r.seen_at, r.cause, r.article_id, r.revision, a.url, a.date, r.title, a.path
  FROM revisions r JOIN articles a ON a.id = r.article_id;
CREATE TABLE backfills (
	feed_id INTEGER NOT NULL, 
	day TEXT NOT NULL, 
	pages INTEGER DEFAULT '0' NOT NULL, 
	finished_at TEXT, 
	CONSTRAINT pk_backfills PRIMARY KEY (feed_id, day), 
	CONSTRAINT fk_backfills_feed_id FOREIGN KEY(feed_id) REFERENCES feeds (id)
);
CREATE TABLE hosts (
	host TEXT NOT NULL, 
	paused_until TEXT NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_hosts PRIMARY KEY (host)
);
CREATE TABLE pictures (
	url TEXT NOT NULL, 
	path TEXT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_attempt_at TEXT, 
	error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_pictures PRIMARY KEY (url)
);
CREATE INDEX ix_pictures_path ON pictures (path);
CREATE INDEX ix_images_due ON images (url) WHERE path IS NULL;
CREATE TABLE stories (
	article_id INTEGER NOT NULL, 
	story_id INTEGER NOT NULL, 
	CONSTRAINT pk_stories PRIMARY KEY (article_id), 
	CONSTRAINT fk_stories_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id)
);
CREATE INDEX ix_stories_story_id ON stories (story_id);
CREATE TABLE story_bands (
	band BIGINT NOT NULL, 
	article_id INTEGER NOT NULL, 
	CONSTRAINT pk_story_bands PRIMARY KEY (band, article_id), 
	CONSTRAINT fk_story_bands_article_id_articles FOREIGN KEY(article_id) REFERENCES articles (id)
)
 WITHOUT ROWID

;
CREATE VIEW articles_by_symbol AS
SELECT s.symbol, s.market, s.name, s.article_id, a.date, a.published_at, a.first_seen_at,
       a.media, a.title, a.url
  FROM symbols s JOIN articles a ON a.id = s.article_id;
CREATE VIEW articles_by_story AS
SELECT s.story_id,
       (SELECT count(*) FROM stories o WHERE o.story_id = s.story_id) AS articles,
       s.article_id, a.date, a.published_at, a.first_seen_at, a.media, a.title, a.url
  FROM stories s JOIN articles a ON a.id = s.article_id;
CREATE INDEX ix_articles_date_published_at ON articles (date, published_at);
CREATE INDEX ix_entries_waiting ON entries (feed_id, state) WHERE state <> 'done';
CREATE TABLE host_turns (
	host TEXT NOT NULL, 
	free_at DOUBLE NOT NULL, 
	CONSTRAINT pk_host_turns PRIMARY KEY (host)
);
CREATE TABLE host_leases (
	host TEXT NOT NULL, 
	place INTEGER NOT NULL, 
	held_until DOUBLE NOT NULL, 
	holder TEXT NOT NULL, 
	CONSTRAINT pk_host_leases PRIMARY KEY (host, place)
);
CREATE TABLE assignments (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	feed_id INTEGER, 
	first_day TEXT NOT NULL, 
	last_day TEXT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_attempt_at TEXT, 
	state TEXT DEFAULT 'pending' NOT NULL, 
	error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_assignments PRIMARY KEY (id), 
	CONSTRAINT fk_assignments_feed_id FOREIGN KEY(feed_id) REFERENCES feeds (id)
);
CREATE INDEX ix_assignments_kind_state ON assignments (kind, state);
INSERT INTO alembic_version (version_num) VALUES ('0010');
