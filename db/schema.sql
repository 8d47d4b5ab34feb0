-- Written by `python -m db.schema`; what it is for stands there.

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE assets (
	sha256 VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	bytes INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	container VARCHAR NOT NULL,
	subtype VARCHAR NOT NULL,
	sample_rate INTEGER,
	channels INTEGER,
	frames INTEGER,
	first_seen VARCHAR NOT NULL, sound VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_assets PRIMARY KEY (sha256)
);

CREATE INDEX ix_assets_essence ON assets (essence);

CREATE TABLE locations (
	path VARCHAR NOT NULL,
	asset VARCHAR NOT NULL,
	size INTEGER NOT NULL,
	mtime_ns INTEGER NOT NULL,
	seen_at VARCHAR NOT NULL,
	CONSTRAINT pk_locations PRIMARY KEY (path),
	CONSTRAINT fk_locations_asset FOREIGN KEY(asset) REFERENCES assets (sha256)
);

CREATE INDEX ix_locations_asset ON locations (asset);

CREATE TABLE takes (
	essence VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	scene VARCHAR NOT NULL,
	take VARCHAR NOT NULL,
	tape VARCHAR NOT NULL,
	project VARCHAR NOT NULL,
	sample_rate INTEGER NOT NULL,
	frames INTEGER NOT NULL,
	time_reference INTEGER,
	timecode_rate VARCHAR, recorded VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_takes PRIMARY KEY (essence)
);

CREATE INDEX ix_takes_name ON takes (name);

CREATE INDEX ix_takes_scene_take ON takes (scene, take);

CREATE TABLE media (
	path VARCHAR NOT NULL,
	size INTEGER NOT NULL,
	mtime_ns INTEGER NOT NULL,
	sha256 VARCHAR NOT NULL,
	essence VARCHAR NOT NULL,
	scene VARCHAR NOT NULL,
	take VARCHAR NOT NULL,
	tape VARCHAR NOT NULL,
	circled BOOLEAN NOT NULL,
	probe JSON NOT NULL,
	CONSTRAINT pk_media PRIMARY KEY (path),
	CONSTRAINT fk_media_essence FOREIGN KEY(essence) REFERENCES takes (essence),
	CONSTRAINT fk_media_sha256 FOREIGN KEY(sha256) REFERENCES assets (sha256)
);

CREATE INDEX ix_media_essence ON media (essence);

CREATE INDEX ix_media_sha256 ON media (sha256);

CREATE TABLE activities (
	id VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	"key" VARCHAR NOT NULL,
	tool VARCHAR NOT NULL,
	card JSON,
	parameters JSON NOT NULL,
	code_version VARCHAR NOT NULL,
	machine VARCHAR NOT NULL,
	agent VARCHAR NOT NULL,
	started VARCHAR NOT NULL,
	ended VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	CONSTRAINT pk_activities PRIMARY KEY (id)
);

CREATE INDEX ix_activities_key ON activities ("key");

CREATE UNIQUE INDEX uq_activities_done ON activities (kind, "key") WHERE state = 'done';

CREATE TABLE used (
	id INTEGER NOT NULL,
	activity VARCHAR NOT NULL,
	asset VARCHAR NOT NULL,
	role VARCHAR NOT NULL,
	start_sample INTEGER,
	end_sample INTEGER, made_start INTEGER, made_end INTEGER, event VARCHAR DEFAULT '' NOT NULL, channels JSON DEFAULT '[]' NOT NULL,
	CONSTRAINT pk_used PRIMARY KEY (id),
	CONSTRAINT fk_used_activity FOREIGN KEY(activity) REFERENCES activities (id),
	CONSTRAINT fk_used_asset FOREIGN KEY(asset) REFERENCES assets (sha256)
);

CREATE INDEX ix_used_activity ON used (activity);

CREATE INDEX ix_used_asset ON used (asset);

CREATE TABLE generated (
	id INTEGER NOT NULL,
	activity VARCHAR NOT NULL,
	asset VARCHAR NOT NULL,
	role VARCHAR NOT NULL,
	start_sample INTEGER,
	end_sample INTEGER,
	CONSTRAINT pk_generated PRIMARY KEY (id),
	CONSTRAINT fk_generated_activity FOREIGN KEY(activity) REFERENCES activities (id),
	CONSTRAINT fk_generated_asset FOREIGN KEY(asset) REFERENCES assets (sha256)
);

CREATE INDEX ix_generated_activity ON generated (activity);

CREATE INDEX ix_generated_asset ON generated (asset);

CREATE TABLE cuts (
	id INTEGER NOT NULL,
	name VARCHAR NOT NULL,
	digest VARCHAR NOT NULL,
	path VARCHAR NOT NULL,
	rate VARCHAR NOT NULL,
	start INTEGER NOT NULL,
	length VARCHAR NOT NULL,
	read_at VARCHAR NOT NULL,
	CONSTRAINT pk_cuts PRIMARY KEY (id),
	CONSTRAINT uq_cuts_digest_path UNIQUE (digest, path)
);

CREATE TABLE cut_events (
	id INTEGER NOT NULL,
	cut INTEGER NOT NULL,
	event VARCHAR NOT NULL,
	track VARCHAR NOT NULL,
	record_start INTEGER NOT NULL,
	record_length INTEGER NOT NULL,
	asset VARCHAR,
	source_start INTEGER,
	channels JSON NOT NULL,
	linked VARCHAR NOT NULL,
	take_key VARCHAR NOT NULL, source_end INTEGER,
	CONSTRAINT pk_cut_events PRIMARY KEY (id),
	CONSTRAINT fk_cut_events_asset FOREIGN KEY(asset) REFERENCES assets (sha256),
	CONSTRAINT fk_cut_events_cut FOREIGN KEY(cut) REFERENCES cuts (id) ON DELETE CASCADE
);

CREATE INDEX ix_cut_events_asset ON cut_events (asset);

CREATE INDEX ix_cut_events_cut ON cut_events (cut);

CREATE INDEX ix_cut_events_take_key ON cut_events (take_key);

CREATE TABLE speakers (
	id INTEGER NOT NULL,
	project VARCHAR NOT NULL,
	name VARCHAR NOT NULL, heard_as VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_speakers PRIMARY KEY (id),
	CONSTRAINT uq_speakers_project_name UNIQUE (project, name)
);

CREATE TABLE listenings (
	id INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	"key" VARCHAR NOT NULL,
	engine VARCHAR NOT NULL,
	draft BOOLEAN NOT NULL,
	card JSON,
	language VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	CONSTRAINT pk_listenings PRIMARY KEY (id),
	CONSTRAINT fk_listenings_essence FOREIGN KEY(essence) REFERENCES takes (essence),
	CONSTRAINT uq_listenings_essence_key UNIQUE (essence, "key")
);

CREATE TABLE lines (
	id INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	listening INTEGER NOT NULL,
	speaker INTEGER,
	position INTEGER NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	text VARCHAR NOT NULL,
	confidence FLOAT NOT NULL,
	draft BOOLEAN NOT NULL,
	engine VARCHAR NOT NULL,
	language VARCHAR NOT NULL, heard_in VARCHAR DEFAULT 'original' NOT NULL, heard_as VARCHAR DEFAULT '' NOT NULL, overlap FLOAT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_lines PRIMARY KEY (id),
	CONSTRAINT fk_lines_essence FOREIGN KEY(essence) REFERENCES takes (essence),
	CONSTRAINT fk_lines_listening FOREIGN KEY(listening) REFERENCES listenings (id),
	CONSTRAINT fk_lines_speaker FOREIGN KEY(speaker) REFERENCES speakers (id)
);

CREATE INDEX ix_lines_essence ON lines (essence);

CREATE INDEX ix_lines_listening ON lines (listening);

CREATE INDEX ix_lines_speaker ON lines (speaker);

CREATE TABLE words (
	line INTEGER NOT NULL,
	position INTEGER NOT NULL,
	text VARCHAR NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	confidence FLOAT NOT NULL,
	CONSTRAINT pk_words PRIMARY KEY (line, position),
	CONSTRAINT fk_words_line FOREIGN KEY(line) REFERENCES lines (id)
);

CREATE TABLE overrides (
	id INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	channels JSON NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	recipe VARCHAR NOT NULL,
	amount_db FLOAT,
	locked VARCHAR NOT NULL,
	note VARCHAR NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	revoked VARCHAR,
	revoked_by VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_overrides PRIMARY KEY (id),
	CONSTRAINT fk_overrides_essence FOREIGN KEY(essence) REFERENCES takes (essence)
);

CREATE INDEX ix_overrides_essence ON overrides (essence);

CREATE TABLE setup_decisions (
	"key" VARCHAR NOT NULL,
	project VARCHAR NOT NULL,
	scene VARCHAR NOT NULL,
	microphone VARCHAR NOT NULL,
	asked VARCHAR NOT NULL,
	recipe VARCHAR NOT NULL,
	reasons JSON NOT NULL,
	created VARCHAR NOT NULL,
	CONSTRAINT pk_setup_decisions PRIMARY KEY ("key")
);

CREATE INDEX ix_setup_decisions_scene ON setup_decisions (scene);

CREATE TABLE event_passes (
	id INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	detector VARCHAR NOT NULL,
	version VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	CONSTRAINT pk_event_passes PRIMARY KEY (id),
	CONSTRAINT fk_event_passes_essence FOREIGN KEY(essence) REFERENCES takes (essence),
	CONSTRAINT uq_event_passes_essence_detector UNIQUE (essence, detector)
);

CREATE TABLE sound_events (
	id INTEGER NOT NULL,
	event_pass INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	channel INTEGER,
	confidence FLOAT NOT NULL,
	note VARCHAR NOT NULL,
	CONSTRAINT pk_sound_events PRIMARY KEY (id),
	CONSTRAINT fk_sound_events_event_pass FOREIGN KEY(event_pass) REFERENCES event_passes (id) ON DELETE CASCADE,
	CONSTRAINT fk_sound_events_essence FOREIGN KEY(essence) REFERENCES takes (essence)
);

CREATE INDEX ix_sound_events_event_pass ON sound_events (event_pass);

CREATE INDEX ix_sound_events_essence ON sound_events (essence);

CREATE INDEX ix_sound_events_kind ON sound_events (kind);

CREATE TABLE forgotten (
	id INTEGER NOT NULL,
	salt VARCHAR NOT NULL,
	token VARCHAR NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL, no_export BOOLEAN DEFAULT 0 NOT NULL,
	CONSTRAINT pk_forgotten PRIMARY KEY (id)
);

CREATE TABLE forgotten_stretches (
	id INTEGER NOT NULL,
	forgotten INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	alone BOOLEAN NOT NULL,
	CONSTRAINT pk_forgotten_stretches PRIMARY KEY (id),
	CONSTRAINT fk_forgotten_stretches_forgotten FOREIGN KEY(forgotten) REFERENCES forgotten (id) ON DELETE CASCADE
);

CREATE INDEX ix_forgotten_stretches_forgotten ON forgotten_stretches (forgotten);

CREATE INDEX ix_forgotten_stretches_essence ON forgotten_stretches (essence);

CREATE TABLE script_marks (
	id INTEGER NOT NULL,
	"key" VARCHAR NOT NULL,
	scene VARCHAR NOT NULL,
	character VARCHAR NOT NULL,
	text VARCHAR NOT NULL,
	essence VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	note VARCHAR NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	revoked VARCHAR,
	revoked_by VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_script_marks PRIMARY KEY (id)
);

CREATE INDEX ix_script_marks_essence ON script_marks (essence);

CREATE TABLE speaker_decisions (
	id INTEGER NOT NULL,
	project VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	speaker INTEGER NOT NULL,
	other INTEGER,
	name VARCHAR NOT NULL,
	stretches JSON NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	undone VARCHAR,
	undone_by VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_speaker_decisions PRIMARY KEY (id),
	CONSTRAINT fk_speaker_decisions_speaker FOREIGN KEY(speaker) REFERENCES speakers (id),
	CONSTRAINT fk_speaker_decisions_other FOREIGN KEY(other) REFERENCES speakers (id)
);

CREATE INDEX ix_speaker_decisions_project ON speaker_decisions (project);

CREATE TABLE voices (
	id INTEGER NOT NULL,
	project VARCHAR NOT NULL,
	essence VARCHAR,
	label VARCHAR NOT NULL,
	source VARCHAR NOT NULL,
	seconds FLOAT NOT NULL,
	print JSON NOT NULL,
	encoder VARCHAR NOT NULL,
	spans JSON NOT NULL,
	speaker INTEGER,
	fixed BOOLEAN NOT NULL,
	decision INTEGER,
	CONSTRAINT pk_voices PRIMARY KEY (id),
	CONSTRAINT fk_voices_essence FOREIGN KEY(essence) REFERENCES takes (essence),
	CONSTRAINT fk_voices_speaker FOREIGN KEY(speaker) REFERENCES speakers (id),
	CONSTRAINT fk_voices_decision FOREIGN KEY(decision) REFERENCES speaker_decisions (id)
);

CREATE INDEX ix_voices_project ON voices (project);

CREATE INDEX ix_voices_essence ON voices (essence);

CREATE INDEX ix_voices_speaker ON voices (speaker);

CREATE TABLE line_search (
	line INTEGER NOT NULL,
	version INTEGER NOT NULL,
	sounds_by VARCHAR NOT NULL,
	words VARCHAR NOT NULL,
	stems VARCHAR NOT NULL,
	sounds VARCHAR NOT NULL,
	CONSTRAINT pk_line_search PRIMARY KEY (line),
	CONSTRAINT fk_line_search_line FOREIGN KEY(line) REFERENCES lines (id) ON DELETE CASCADE
);

CREATE TABLE vocabulary (
	id INTEGER NOT NULL,
	word VARCHAR NOT NULL,
	lines INTEGER NOT NULL,
	CONSTRAINT pk_vocabulary PRIMARY KEY (id),
	CONSTRAINT uq_vocabulary_word UNIQUE (word)
);

CREATE VIRTUAL TABLE words_fts USING fts5(words, content='line_search', content_rowid='line', tokenize='ascii', prefix='2 3 4');

CREATE TRIGGER line_search_words_insert AFTER insert ON line_search BEGIN INSERT INTO words_fts(rowid, words) VALUES (new.line, new.words); END;

CREATE TRIGGER line_search_words_delete AFTER delete ON line_search BEGIN INSERT INTO words_fts(words_fts, rowid, words) VALUES ('delete', old.line, old.words); END;

CREATE TRIGGER line_search_words_update AFTER update OF words ON line_search BEGIN INSERT INTO words_fts(words_fts, rowid, words) VALUES ('delete', old.line, old.words);INSERT INTO words_fts(rowid, words) VALUES (new.line, new.words); END;

CREATE TABLE line_corrections (
	id INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	start_sample INTEGER NOT NULL,
	end_sample INTEGER NOT NULL,
	text VARCHAR NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	undone VARCHAR,
	undone_by VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_line_corrections PRIMARY KEY (id),
	CONSTRAINT fk_line_corrections_essence FOREIGN KEY(essence) REFERENCES takes (essence)
);

CREATE INDEX ix_line_corrections_essence ON line_corrections (essence);

CREATE TABLE postings (
	kind INTEGER NOT NULL,
	token VARCHAR NOT NULL,
	block INTEGER NOT NULL,
	rows BLOB NOT NULL,
	CONSTRAINT pk_postings PRIMARY KEY (kind, token, block)
);

CREATE INDEX ix_line_search_version_sounds_by ON line_search (version, sounds_by);

CREATE TABLE runs (
	id INTEGER NOT NULL,
	kind VARCHAR NOT NULL,
	inputs JSON NOT NULL,
	media JSON NOT NULL,
	out VARCHAR,
	settings JSON NOT NULL,
	"by" VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	asked VARCHAR NOT NULL,
	not_before VARCHAR NOT NULL,
	started VARCHAR,
	ended VARCHAR,
	tries INTEGER NOT NULL,
	most_tries INTEGER NOT NULL,
	step VARCHAR NOT NULL,
	step_done INTEGER NOT NULL,
	step_total INTEGER NOT NULL,
	said VARCHAR NOT NULL,
	host VARCHAR NOT NULL,
	pid INTEGER NOT NULL,
	token VARCHAR NOT NULL,
	lease_until VARCHAR,
	cancelled_by VARCHAR NOT NULL,
	outcome JSON,
	fault VARCHAR NOT NULL,
	exit_code INTEGER,
	CONSTRAINT pk_runs PRIMARY KEY (id)
);

CREATE INDEX ix_runs_state ON runs (state);

CREATE TABLE setups (
	id INTEGER NOT NULL,
	"key" VARCHAR NOT NULL,
	project VARCHAR NOT NULL,
	scene VARCHAR NOT NULL,
	microphone VARCHAR NOT NULL,
	file VARCHAR NOT NULL,
	essence VARCHAR NOT NULL,
	CONSTRAINT pk_setups PRIMARY KEY (id),
	CONSTRAINT uq_setups_key UNIQUE ("key")
);

CREATE TABLE reviews (
	id INTEGER NOT NULL,
	setup INTEGER NOT NULL,
	kind VARCHAR NOT NULL,
	recipe VARCHAR NOT NULL,
	amount_db FLOAT,
	text VARCHAR NOT NULL,
	whole BOOLEAN NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	undone VARCHAR,
	undone_by VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_reviews PRIMARY KEY (id),
	CONSTRAINT fk_reviews_setup FOREIGN KEY(setup) REFERENCES setups (id)
);

CREATE INDEX ix_reviews_setup ON reviews (setup);

CREATE TABLE review_takes (
	id INTEGER NOT NULL,
	review INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	channels VARCHAR NOT NULL,
	"key" VARCHAR NOT NULL,
	CONSTRAINT pk_review_takes PRIMARY KEY (id),
	CONSTRAINT fk_review_takes_review FOREIGN KEY(review) REFERENCES reviews (id) ON DELETE CASCADE
);

CREATE INDEX ix_review_takes_review ON review_takes (review);

CREATE INDEX ix_review_takes_essence ON review_takes (essence);

CREATE INDEX ix_review_takes_key ON review_takes ("key");

CREATE TABLE judged_takes (
	id INTEGER NOT NULL,
	setup INTEGER NOT NULL,
	essence VARCHAR NOT NULL,
	channels VARCHAR NOT NULL,
	"key" VARCHAR NOT NULL,
	in_cut BOOLEAN NOT NULL,
	recipe VARCHAR NOT NULL,
	gentler VARCHAR NOT NULL,
	limit_db FLOAT,
	gates JSON NOT NULL,
	failed BOOLEAN NOT NULL,
	review INTEGER,
	judged VARCHAR NOT NULL,
	CONSTRAINT pk_judged_takes PRIMARY KEY (id),
	CONSTRAINT fk_judged_takes_setup FOREIGN KEY(setup) REFERENCES setups (id),
	CONSTRAINT fk_judged_takes_essence FOREIGN KEY(essence) REFERENCES takes (essence)
);

CREATE INDEX ix_judged_takes_setup ON judged_takes (setup);

CREATE INDEX ix_judged_takes_essence ON judged_takes (essence);

CREATE TABLE row_counts (
	"table" VARCHAR NOT NULL,
	rows INTEGER NOT NULL, seal VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_row_counts PRIMARY KEY ("table")
);

CREATE INDEX ix_assets_sound ON assets (sound);

CREATE TABLE take_tags (
	essence VARCHAR NOT NULL,
	tag VARCHAR NOT NULL,
	"by" VARCHAR NOT NULL,
	created VARCHAR NOT NULL,
	CONSTRAINT pk_take_tags PRIMARY KEY (essence, tag),
	CONSTRAINT fk_take_tags_essence FOREIGN KEY(essence) REFERENCES takes (essence)
);

CREATE INDEX ix_take_tags_tag ON take_tags (tag);

CREATE TABLE arrivals (
	path VARCHAR NOT NULL,
	first_seen VARCHAR NOT NULL,
	CONSTRAINT pk_arrivals PRIMARY KEY (path)
);

CREATE TABLE claims (
	"key" VARCHAR NOT NULL,
	token VARCHAR NOT NULL,
	host VARCHAR NOT NULL,
	pid INTEGER NOT NULL,
	lease_until VARCHAR NOT NULL,
	CONSTRAINT pk_claims PRIMARY KEY ("key")
);

CREATE TABLE consents (
	id INTEGER NOT NULL,
	"key" VARCHAR NOT NULL,
	speaker_key VARCHAR NOT NULL,
	project VARCHAR NOT NULL,
	speaker VARCHAR NOT NULL,
	mark VARCHAR NOT NULL,
	allowed BOOLEAN NOT NULL,
	"by" VARCHAR NOT NULL,
	since VARCHAR NOT NULL,
	note VARCHAR NOT NULL,
	ended VARCHAR,
	ended_by VARCHAR DEFAULT '' NOT NULL,
	CONSTRAINT pk_consents PRIMARY KEY (id)
);

CREATE INDEX ix_consents_key ON consents ("key");

CREATE TABLE retention_rules (
	"key" VARCHAR NOT NULL,
	kept VARCHAR NOT NULL,
	project VARCHAR NOT NULL,
	days INTEGER NOT NULL,
	"by" VARCHAR NOT NULL,
	since VARCHAR NOT NULL,
	CONSTRAINT pk_retention_rules PRIMARY KEY ("key", kept)
);

INSERT INTO alembic_version VALUES ('0022');
INSERT INTO row_counts VALUES ('activities', 0, '00000000000000000000000000000000-e7ba72d1');
INSERT INTO row_counts VALUES ('arrivals', 0, '00000000000000000000000000000000-147123fb');
INSERT INTO row_counts VALUES ('assets', 0, '00000000000000000000000000000000-f2e213c3');
INSERT INTO row_counts VALUES ('claims', 0, '00000000000000000000000000000000-57495ec5');
INSERT INTO row_counts VALUES ('consents', 0, '00000000000000000000000000000000-f39ccfc2');
INSERT INTO row_counts VALUES ('cut_events', 0, '00000000000000000000000000000000-1e0f8a53');
INSERT INTO row_counts VALUES ('cuts', 0, '00000000000000000000000000000000-63c75f7d');
INSERT INTO row_counts VALUES ('event_passes', 0, '00000000000000000000000000000000-31f067c6');
INSERT INTO row_counts VALUES ('forgotten', 0, '00000000000000000000000000000000-903a33dc');
INSERT INTO row_counts VALUES ('forgotten_stretches', 0, '00000000000000000000000000000000-a42e71a3');
INSERT INTO row_counts VALUES ('generated', 0, '00000000000000000000000000000000-ee6b635f');
INSERT INTO row_counts VALUES ('judged_takes', 0, '00000000000000000000000000000000-5e25d59f');
INSERT INTO row_counts VALUES ('line_corrections', 0, '00000000000000000000000000000000-0a374d16');
INSERT INTO row_counts VALUES ('line_search', 0, '00000000000000000000000000000000-fee50b7d');
INSERT INTO row_counts VALUES ('lines', 0, '00000000000000000000000000000000-0646f681');
INSERT INTO row_counts VALUES ('listenings', 0, '00000000000000000000000000000000-51c1c9f1');
INSERT INTO row_counts VALUES ('locations', 0, '00000000000000000000000000000000-97c05c0a');
INSERT INTO row_counts VALUES ('media', 0, '00000000000000000000000000000000-b11dc218');
INSERT INTO row_counts VALUES ('overrides', 0, '00000000000000000000000000000000-c5c92921');
INSERT INTO row_counts VALUES ('postings', 0, '00000000000000000000000000000000-ccd2f3b7');
INSERT INTO row_counts VALUES ('retention_rules', 0, '00000000000000000000000000000000-2304333e');
INSERT INTO row_counts VALUES ('review_takes', 0, '00000000000000000000000000000000-823fcad7');
INSERT INTO row_counts VALUES ('reviews', 0, '00000000000000000000000000000000-11e935ca');
INSERT INTO row_counts VALUES ('runs', 0, '00000000000000000000000000000000-1af89819');
INSERT INTO row_counts VALUES ('script_marks', 0, '00000000000000000000000000000000-d611572a');
INSERT INTO row_counts VALUES ('setup_decisions', 0, '00000000000000000000000000000000-8bcb21dd');
INSERT INTO row_counts VALUES ('setups', 0, '00000000000000000000000000000000-c7e33872');
INSERT INTO row_counts VALUES ('sound_events', 0, '00000000000000000000000000000000-87d7f5ff');
INSERT INTO row_counts VALUES ('speaker_decisions', 0, '00000000000000000000000000000000-3c3c42f4');
INSERT INTO row_counts VALUES ('speakers', 0, '00000000000000000000000000000000-435891be');
INSERT INTO row_counts VALUES ('take_tags', 0, '00000000000000000000000000000000-743d5802');
INSERT INTO row_counts VALUES ('takes', 0, '00000000000000000000000000000000-ce87667c');
INSERT INTO row_counts VALUES ('used', 0, '00000000000000000000000000000000-31dd2056');
INSERT INTO row_counts VALUES ('vocabulary', 0, '00000000000000000000000000000000-d8be5a7d');
INSERT INTO row_counts VALUES ('voices', 0, '00000000000000000000000000000000-3fbeb9b9');
INSERT INTO row_counts VALUES ('words', 0, '00000000000000000000000000000000-bc98759a');
