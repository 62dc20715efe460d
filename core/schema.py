"""The shape of a workspace's tables, as ordered, named migrations.

Text is immutable (`version`); what changes often lives in narrow tables (`review`, `verdict`, `tag`), so that a bulk
decision touches neither text nor the full-text index. What is said of a text (verdict, policy, contamination, score, judgement) hangs on
its version, so that an edit begins with a clean slate. What the rows mean is `core.samples`' business.
"""

from __future__ import annotations

_CHECKS = ("parse", "format", "types", "vet", "test")
_FIRST = (
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE sample (
        id INTEGER PRIMARY KEY,
        uid TEXT NOT NULL,
        version_id INTEGER NOT NULL REFERENCES version(id) DEFERRABLE INITIALLY DEFERRED,
        title TEXT NOT NULL,
        topic TEXT NOT NULL,
        source TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        created INTEGER NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX sample_uid ON sample(uid)",
    "CREATE UNIQUE INDEX sample_version ON sample(version_id)",
    "CREATE INDEX sample_title ON sample(title COLLATE NOCASE)",
    "CREATE INDEX sample_topic ON sample(topic COLLATE NOCASE)",
    "CREATE INDEX sample_source ON sample(source COLLATE NOCASE)",
    "CREATE INDEX sample_tokens ON sample(tokens)",
    "CREATE INDEX sample_lines ON sample(lines)",
    # context: JSON of the messages before the last answer; NULL when that is one user message, the prompt.
    """
    CREATE TABLE version (
        id INTEGER PRIMARY KEY,
        sample_id INTEGER NOT NULL REFERENCES sample(id) DEFERRABLE INITIALLY DEFERRED,
        parent INTEGER REFERENCES version(id),
        hash BLOB NOT NULL,
        title TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        author TEXT NOT NULL,
        created INTEGER NOT NULL,
        context TEXT,
        prompt TEXT NOT NULL,
        response TEXT NOT NULL,
        code TEXT NOT NULL,
        test TEXT NOT NULL
    )
    """,
    "CREATE INDEX version_sample ON version(sample_id)",
    "CREATE INDEX version_hash ON version(hash)",
    """
    CREATE TRIGGER version_is_immutable BEFORE UPDATE ON version
    BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END
    """,
    # One row a sample, made with it: the whole of it is a few megabytes, so a scan beats an index that every decision must mend.
    """
    CREATE TABLE review (
        sample_id INTEGER PRIMARY KEY REFERENCES sample(id),
        status INTEGER NOT NULL DEFAULT 0,
        rating INTEGER,
        deleted INTEGER NOT NULL DEFAULT 0,
        reasons TEXT NOT NULL DEFAULT '[]',
        note TEXT NOT NULL DEFAULT '',
        author TEXT NOT NULL DEFAULT '',
        updated INTEGER
    )
    """,
    "CREATE INDEX review_deleted ON review(sample_id) WHERE deleted = 1",
    # One row a version, made with it. Checks: NULL unchecked, 0 fail, 1 pass, 2 skipped. current: is it the sample's text today?
    """
    CREATE TABLE verdict (
        version_id INTEGER PRIMARY KEY REFERENCES version(id),
        sample_id INTEGER NOT NULL,
        current INTEGER NOT NULL,
        parse INTEGER,
        format INTEGER,
        types INTEGER,
        vet INTEGER,
        test INTEGER,
        toolchain TEXT NOT NULL DEFAULT '',
        state INTEGER GENERATED ALWAYS AS (
            CASE WHEN parse = 0 OR format = 0 OR types = 0 OR vet = 0 OR test = 0 THEN 0
                 WHEN parse = 1 OR format = 1 OR types = 1 OR vet = 1 OR test = 1 THEN 1
            END
        ) VIRTUAL
    )
    """,
    "CREATE INDEX verdict_sample ON verdict(sample_id) WHERE current = 1",
    "CREATE INDEX verdict_state ON verdict(state, sample_id) WHERE current = 1",
    *(f"CREATE INDEX verdict_{check} ON verdict({check}, sample_id) WHERE current = 1" for check in _CHECKS),
    """
    CREATE TABLE diagnostic (
        version_id INTEGER NOT NULL REFERENCES version(id),
        position INTEGER NOT NULL,
        "check" TEXT NOT NULL,
        line INTEGER NOT NULL,
        "column" INTEGER NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (version_id, position)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tag (
        name TEXT NOT NULL COLLATE NOCASE,
        sample_id INTEGER NOT NULL REFERENCES sample(id),
        PRIMARY KEY (name, sample_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tag_sample ON tag(sample_id)",
    # Near copies: every member of a cluster, the one worth keeping included.
    """
    CREATE TABLE duplicate (
        sample_id INTEGER PRIMARY KEY REFERENCES sample(id),
        keeper INTEGER NOT NULL,
        similarity REAL NOT NULL
    )
    """,
    """
    CREATE TABLE operation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        author TEXT NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0
    )
    """,
    # subject: 'review', 'tag' or 'version'; before, after: JSON objects of what changed; ids: JSON list of the samples that were so before.
    """
    CREATE TABLE operation_part (
        id INTEGER PRIMARY KEY,
        operation_id INTEGER NOT NULL REFERENCES operation(id) ON DELETE CASCADE,
        subject TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        ids TEXT NOT NULL
    )
    """,
    "CREATE INDEX operation_part_operation ON operation_part(operation_id)",
    """
    CREATE VIRTUAL TABLE words USING fts5(
        prompt, response, content='version', content_rowid='id', tokenize="unicode61 tokenchars '_'"
    )
    """,
    """
    CREATE TRIGGER version_added AFTER INSERT ON version BEGIN
        INSERT INTO words(rowid, prompt, response) VALUES (new.id, new.prompt, new.response);
    END
    """,
    """
    CREATE TRIGGER sample_version_chosen AFTER UPDATE OF version_id ON sample WHEN new.version_id IS NOT old.version_id BEGIN
        UPDATE verdict SET current = 0 WHERE version_id = old.version_id;
        UPDATE verdict SET current = 1 WHERE version_id = new.version_id;
        DELETE FROM duplicate WHERE sample_id = new.id;
    END
    """,
)

_CURATION = (
    # Who stores a version stores its words (`core.samples.adding`): a trigger makes FTS5 write its terms row by row, which takes three times as long.
    "DROP TRIGGER version_added",
    # Searches worth keeping, by the name that a person gave.
    """
    CREATE TABLE view (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        query TEXT NOT NULL,
        created INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    # What is wrong with a version that no compiler complains of, and whether it imports beyond the standard library (`external`).
    """
    CREATE TABLE policy (
        version_id INTEGER NOT NULL REFERENCES version(id),
        kind TEXT NOT NULL,
        line INTEGER NOT NULL,
        "column" INTEGER NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (version_id, kind, line, "column")
    ) WITHOUT ROWID
    """,
    "CREATE INDEX policy_kind ON policy(kind, version_id)",
    # Suites are for measuring only: nothing of them is ever exported or frozen into a snapshot.
    """
    CREATE TABLE suite (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        format TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        created INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE problem (
        id INTEGER PRIMARY KEY,
        suite_id INTEGER NOT NULL REFERENCES suite(id) ON DELETE CASCADE,
        task TEXT NOT NULL,
        entry_point TEXT NOT NULL,
        prompt TEXT NOT NULL,
        solution TEXT NOT NULL,
        test TEXT NOT NULL,
        record TEXT NOT NULL,
        UNIQUE (suite_id, task)
    )
    """,
    # What of a version was found in a problem: how, and where in the version's text (characters of prompt or response).
    """
    CREATE TABLE contamination (
        version_id INTEGER NOT NULL REFERENCES version(id),
        problem_id INTEGER NOT NULL REFERENCES problem(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        part TEXT NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        PRIMARY KEY (version_id, problem_id, kind)
    ) WITHOUT ROWID
    """,
    # What other reviewers decided, as merged from their bundles; `review` holds the decision that counts.
    """
    CREATE TABLE opinion (
        sample_id INTEGER NOT NULL REFERENCES sample(id),
        reviewer TEXT NOT NULL,
        status INTEGER NOT NULL,
        rating INTEGER,
        reasons TEXT NOT NULL,
        note TEXT NOT NULL,
        updated INTEGER NOT NULL,
        PRIMARY KEY (sample_id, reviewer)
    ) WITHOUT ROWID
    """,
    # How likely the apprentice thinks that a person accepts a version, in percent.
    """
    CREATE TABLE score (
        version_id INTEGER PRIMARY KEY REFERENCES version(id),
        percent INTEGER NOT NULL
    )
    """,
)

_TEACHER = (
    # What a teacher was asked and answered, one row a sample of a job; sample and version are NULL for what came to nothing.
    # kind: 'sample' or 'fix'. parents, parameters: JSON. cost_usd: decimal text. conversation: zlib of JSON.
    """
    CREATE TABLE generation (
        id INTEGER PRIMARY KEY,
        job TEXT NOT NULL,
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,
        sample_id INTEGER REFERENCES sample(id),
        version_id INTEGER REFERENCES version(id),
        result TEXT NOT NULL,
        reason TEXT NOT NULL,
        topic TEXT NOT NULL,
        recipe TEXT NOT NULL,
        recipe_version INTEGER NOT NULL,
        recipe_digest TEXT NOT NULL,
        seed INTEGER NOT NULL,
        draw TEXT NOT NULL,
        origin TEXT NOT NULL,
        parents TEXT NOT NULL,
        base_url TEXT NOT NULL,
        asked_model TEXT NOT NULL,
        model TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        parameters TEXT NOT NULL,
        requests INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        reasoning_tokens INTEGER NOT NULL,
        seconds REAL NOT NULL,
        cost_usd TEXT,
        prices TEXT NOT NULL,
        agreement TEXT NOT NULL,
        created INTEGER NOT NULL,
        conversation BLOB NOT NULL,
        UNIQUE (job, number, kind)
    )
    """,
    "CREATE INDEX generation_sample ON generation(sample_id)",
    "CREATE INDEX generation_recipe ON generation(recipe, asked_model)",
)

_JUDGE = (
    # What a judge said of a version, one row a version of a job. score: NULL for what failed, and then reason says why. points, parameters:
    # JSON. cost_usd: decimal text. conversation: zlib of JSON.
    """
    CREATE TABLE judgement (
        id INTEGER PRIMARY KEY,
        job TEXT NOT NULL,
        sample_id INTEGER NOT NULL REFERENCES sample(id),
        version_id INTEGER NOT NULL REFERENCES version(id),
        score INTEGER,
        points TEXT NOT NULL,
        summary TEXT NOT NULL,
        reason TEXT NOT NULL,
        rubric TEXT NOT NULL,
        rubric_version INTEGER NOT NULL,
        rubric_digest TEXT NOT NULL,
        base_url TEXT NOT NULL,
        asked_model TEXT NOT NULL,
        model TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        parameters TEXT NOT NULL,
        requests INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        reasoning_tokens INTEGER NOT NULL,
        seconds REAL NOT NULL,
        cost_usd TEXT,
        prices TEXT NOT NULL,
        created INTEGER NOT NULL,
        conversation BLOB NOT NULL,
        UNIQUE (job, version_id)
    )
    """,
    "CREATE INDEX judgement_version ON judgement(version_id)",
    # The score of a text is the newest one: this index alone answers that, for lists and for sorting.
    "CREATE INDEX judgement_score ON judgement(version_id, id, score) WHERE score IS NOT NULL",
    # Rows hold whole conversations: who has scored what is told from the index alone.
    "CREATE INDEX judgement_judge ON judgement(asked_model, rubric, rubric_version, rubric_digest, version_id, score)",
)

_LOOP = (
    # The evaluation whose failures a teacher's plan answered, by job; "" for a plan that answered none.
    "ALTER TABLE generation ADD COLUMN evaluation TEXT NOT NULL DEFAULT ''",
)

_PLAYGROUND = (
    # Where a sample comes from that a person made of an answer in the playground. settings: JSON of those really used. original: what the model
    # said, NULL where the person changed nothing.
    """
    CREATE TABLE answered (
        sample_id INTEGER PRIMARY KEY REFERENCES sample(id),
        model TEXT NOT NULL,
        path TEXT NOT NULL,
        run TEXT NOT NULL,
        step INTEGER,
        conversation TEXT NOT NULL,
        message TEXT NOT NULL,
        settings TEXT NOT NULL,
        original TEXT,
        created INTEGER NOT NULL
    )
    """,
)

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("001-samples", _FIRST),
    ("002-curation", _CURATION),
    ("003-teacher", _TEACHER),
    ("004-judge", _JUDGE),
    ("005-loop", _LOOP),
    ("006-playground", _PLAYGROUND),
)
"""Name and statements of every step, oldest first. A step that has been released is never changed: add the next."""
