/* query_plans.c - no statement reads a whole table unless it says why.
 *
 * Asks SQLite for the plan of every named statement, against the schema as
 * the migrations make it.  A SCAN, or a sort into a temporary tree, fails
 * unless the statement has a "-- scan: WHY" above it; such a comment where
 * nothing is scanned fails as well.  What reads a list of constants or the
 * rows of a subquery is not a table.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sql.h"

static void
require(int code, sqlite3 *db, const char *what)
{
	if (code == SQLITE_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
	exit(1);
}

/* Whether a line of a plan is one of those that cost. */
static bool
is_dear(const char *line)
{
	return strncmp(line, "SCAN ", 5) == 0 || strstr(line, "TEMP B-TREE");
}

static bool
check_plan(sqlite3 *db, const struct sql_statement_text *statement)
{
	char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement->text);
	sqlite3_stmt *stmt;
	bool scans = false;

	require(
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), db, statement->name);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(stmt, 3);

		if (!is_dear(line))
			continue;
		scans = true;
		if (!statement->may_scan)
			fprintf(stderr, "%s: %s\n", statement->name, line);
	}
	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	if (statement->may_scan && !scans)
		fprintf(stderr, "%s: has a scan comment, but no scan\n",
		    statement->name);
	return scans == statement->may_scan;
}

int
main(void)
{
	sqlite3 *db;
	bool good = true;

	require(sqlite3_open(":memory:", &db), db, "open");
	for (int i = 0; i < N_SQL_MIGRATIONS; i++)
		require(sqlite3_exec(db, sql_migrations[i], NULL, NULL, NULL),
		    db, "migration");
	for (int i = 0; i < N_SQL_STATEMENTS; i++)
		good &= check_plan(db, &sql_statements[i]);
	sqlite3_close(db);
	return good ? 0 : 1;
}
