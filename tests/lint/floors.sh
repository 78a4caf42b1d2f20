#!/bin/sh
# floors.sh - a file includes only its own directory and those below it, as the
# table says; only some know a library; and no files include each other in a
# circle.
#
#	floors.sh [--draw]
#
# A header and its source count as one.  --draw shows which directory includes
# which: a column goes from a directory, o, down to those that it includes, v.
# What leads up would be a ^.
set -eu
cd "${srcdir:-.}"

# DIRECTORY of src, from the top down, and what it may include besides itself.
directories='
bench         base
main.c        daemon config base
daemon        config net/http net/fastcgi net engine api/admin api core store base
config        net api core store base
net/http      net engine api base
net/fastcgi   net engine api base
net           engine api/admin api core base
engine        api/admin api/command api core store base
api/admin     api core store base
api/command   api core store base
api           core store base
core          store base
store/sqlite  store base
store         base
base
'
# HEADERS of a library (extended regex), and who may know them.
libraries='
ini\.h                  config
microhttpd\.h           net/http net/fastcgi bench
gnutls/                 net/http net
json-c/                 api
sqlite3\.h              store/sqlite
nettle/|uthash\.h       base
'

{
	echo "$directories" | sed -n 's/^[^ ]/directory &/p'
	echo "$libraries" | sed -n 's/^[^ ]/library &/p'
	find src bench -name '*.[ch]' -exec grep -HnE \
		'^ *# *include *[<"]' {} + |
		sed 's/^\([^:]*:[0-9]*\):[^<"]*["<]\([^">]*\)[">].*/include \1 \2/'
} | LC_ALL=C awk -v draw="${1-}" '
	function directory_of(path) {
		sub(/\/[^\/]*$/, "", path)
		return path
	}
	function complain(where, what) {
		print "floors.sh: " where " " what >"/dev/stderr"
		status = 1
	}
	$1 == "directory" {
		order[++n] = $2
		row[$2] = n
		for (i = 3; i <= NF; i++)
			may[$2, $i] = 1
	}
	$1 == "library" {
		n_libraries++
		headers[n_libraries] = "^(" $2 ")"
		for (i = 3; i <= NF; i++)
			knows[n_libraries, $i] = 1
	}
	$1 == "include" {
		file = $2
		sub(/:[0-9]*$/, "", file)
		sub(/^src\//, "", file)
		from = directory_of(file)
		to = directory_of($3)
		for (i = 1; i <= n_libraries; i++)
			if ($3 ~ headers[i] && !knows[i, from])
				complain($2, "may not know " $3)
		if (!($3 ~ /^[a-z\/_]*\.h$/) || !(to in row))
			next # of a library, or config.h
		if (!(from in row))
			complain($2, "is in no directory of the table")
		if (from != to && !may[from, to])
			complain($2, "may not include " $3)
		includes[from, to]++
		sub(/\.[ch]$/, "", file)
		sub(/\.[ch]$/, "", $3)
		if (file != $3)
			uses[file] = uses[file] " " $3
	}
	# Take away the files that use none that is left, and those that none
	# uses, until nothing is left but circles and what lies between them.
	function find_circles(   is_changed, name, i, k, parts, rest, is_used) {
		do {
			is_changed = 0
			split("", is_used)
			for (name in uses) {
				rest = ""
				k = split(uses[name], parts)
				for (i = 1; i <= k; i++)
					if (parts[i] in uses) {
						rest = rest " " parts[i]
						is_used[parts[i]] = 1
					}
				uses[name] = rest
			}
			for (name in uses)
				if (uses[name] == "" || !(name in is_used)) {
					delete uses[name]
					is_changed = 1
				}
		} while (is_changed)
		for (name in uses)
			complain(name, "is in a circle:" uses[name])
	}
	function print_row(to,   from, line, mark) {
		line = sprintf("%-12s", order[to])
		for (from = 1; from <= n; from++) {
			mark = " "
			if (from == to)
				mark = "o"
			else if (includes[order[from], order[to]])
				mark = from < to ? "v" : "^"
			else if (to > from && to < lowest[from])
				mark = "|"
			line = line "  " mark
		}
		sub(/ +$/, "", line)
		print line
	}
	function print_drawing(   from, to) {
		for (from = 1; from <= n; from++)
			for (to = from + 1; to <= n; to++)
				if (includes[order[from], order[to]])
					lowest[from] = to
		for (to = 1; to <= n; to++)
			print_row(to)
	}
	END {
		for (i = 1; i <= n; i++)
			for (k = 1; k < i; k++)
				if (may[order[i], order[k]])
					complain("the table", "has " order[i] \
						" below " order[k])
		find_circles()
		if (draw == "--draw")
			print_drawing()
		exit status
	}
'
