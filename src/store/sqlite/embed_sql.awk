# embed_sql.awk - turns the files of sql/ into C.
#
#	awk -v part=header -f embed_sql.awk FILE... >sql.h
#	awk -v part=source -f embed_sql.awk FILE... >sql.c
#
# A file in a folder named schema is a migration, embedded whole; migrations
# must come in order, 0001 first.  Any other file holds texts, each
# introduced by one of
#
#	-- name: WORD	a statement, kept prepared: SQL_WORD
#	-- once: WORD	run while opening only: SQL_ONCE_WORD
#
# and lasting until the next.  "-- scan: WHY" above a name allows that
# statement to read a whole table (tests/lint/query_plans.c).  Other comments
# are for people, and are left out, but not from migrations: SQLite keeps
# those that stand inside of CREATE TABLE with the table.
#
# Texts become arrays of characters, not string literals: those may end at
# 4095 characters in C11.  POSIX awk; mawk and gawk are both used.

function fail(why) {
	print FILENAME ":" FNR ": " why >"/dev/stderr"
	failed = 1
	exit 1
}

function add_line(to, line,	i, c) {
	if (line ~ /[^ -~\t]/)
		fail("only ASCII can be embedded")
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		if (c == "\\" || c == "'")
			c = "\\" c
		else if (c == "\t")
			c = "\\t"
		text[to] = text[to] "'" c "',"
	}
	text[to] = text[to] "'\\n',\n\t"
}

function print_text(name) {
	print "static const char " name "[] = {\n\t" text[name] "0\n};\n"
}

function print_header(	i) {
	print "/* Made by embed_sql.awk from sql/sqlite. */"
	print "#ifndef PEERPOST_STORE_SQLITE_SQL_H"
	print "#define PEERPOST_STORE_SQLITE_SQL_H\n"
	print "#include <stdbool.h>\n"
	print "enum sql_statement {"
	for (i = 1; i <= n_names; i++)
		print "\tSQL_" toupper(names[i]) ","
	print "\tN_SQL_STATEMENTS\n};\n"
	print "struct sql_statement_text {"
	print "\tconst char *name;"
	print "\tconst char *text;"
	print "\tbool may_scan; /* it reads a whole table, on purpose */"
	print "};\n"
	print "extern const struct sql_statement_text"
	print "    sql_statements[N_SQL_STATEMENTS];\n"
	print "enum sql_once {"
	for (i = 1; i <= n_onces; i++)
		print "\tSQL_ONCE_" toupper(onces[i]) ","
	print "\tN_SQL_ONCES\n};\n"
	print "extern const char *const sql_onces[N_SQL_ONCES];\n"
	print "/* The n-th brings a database from user_version n to n + 1. */"
	print "#define N_SQL_MIGRATIONS " n_migrations
	print "extern const char *const sql_migrations[N_SQL_MIGRATIONS];\n"
	print "#endif"
}

function print_source(	i) {
	print "/* Made by embed_sql.awk from sql/sqlite. */"
	print "#include \"store/sqlite/sql.h\"\n"
	for (i = 1; i <= n_names; i++)
		print_text("statement_" names[i])
	for (i = 1; i <= n_onces; i++)
		print_text("once_" onces[i])
	for (i = 1; i <= n_migrations; i++)
		print_text("migration_" i)
	print "const struct sql_statement_text"
	print "    sql_statements[N_SQL_STATEMENTS] = {"
	for (i = 1; i <= n_names; i++)
		print "\t{ \"" names[i] "\", statement_" names[i] ", " \
		    ((names[i] in scans) ? "true" : "false") " },"
	print "};\n"
	print "const char *const sql_onces[N_SQL_ONCES] = {"
	for (i = 1; i <= n_onces; i++)
		print "\tonce_" onces[i] ","
	print "};\n"
	print "const char *const sql_migrations[N_SQL_MIGRATIONS] = {"
	for (i = 1; i <= n_migrations; i++)
		print "\tmigration_" i ","
	print "};"
}

FNR == 1 {
	key = ""
	scan = 0
	is_migration = FILENAME ~ /(^|\/)schema\/[^\/]*$/
	if (is_migration) {
		number = FILENAME
		sub(/.*\//, "", number)
		if (number !~ /^[0-9][0-9][0-9][0-9]_/ ||
		    number + 0 != ++n_migrations)
			fail("not migration number " n_migrations)
		key = "migration_" n_migrations
	}
}

is_migration {
	add_line(key, $0)
	next
}

/^-- (name|once): / {
	if (NF != 3 || $3 !~ /^[a-z][a-z0-9_]*$/ || ($2 $3) in seen)
		fail("not a new name: " $3)
	seen[$2 $3] = 1
	if ($2 == "name:") {
		names[++n_names] = $3
		key = "statement_" $3
		if (scan)
			scans[$3] = 1
	} else {
		onces[++n_onces] = $3
		key = "once_" $3
	}
	scan = 0
	next
}

/^-- scan: ./ {
	scan = 1
	next
}

/^[ \t]*--/ || /^[ \t]*$/ {
	next
}

{
	if (key == "")
		fail("a statement without a name")
	add_line(key, $0)
}

END {
	if (failed)
		exit 1
	if (!n_names || !n_onces || !n_migrations)
		fail("files are missing")
	if (part == "header")
		print_header()
	else if (part == "source")
		print_source()
	else
		fail("part is header or source")
}
