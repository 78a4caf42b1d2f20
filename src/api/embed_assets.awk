# embed_assets.awk - turns files that the daemon serves into C.
#
#	awk -v part=header -f embed_assets.awk FILE... >asset_files.h
#	awk -v part=source -f embed_assets.awk FILE... >asset_files.c
#
# A file is named by the last part of its path: clients/js/peerpost.js is
# asset_files[ASSET_PEERPOST_JS].  Its ending gives its media type, and its
# SHA-256 is its entity tag.  Of a page with a style and a script of its own,
# between tags that stand alone on their lines, the header has their digests in
# base64, as a Content Security Policy names them: ASSET_PAGE_HTML_STYLE_SHA256.
# The bytes are read by od(1), so that a file may hold any.  POSIX awk; mawk and
# gawk are both used.

function fail(why) {
	print "embed_assets.awk: " why >"/dev/stderr"
	exit 1
}

function word_of(file) {
	sub(/.*\//, "", file)
	gsub(/[^A-Za-z0-9]/, "_", file)
	return toupper(file)
}

function type_of(file) {
	sub(/.*\./, "", file)
	if (!(file in types))
		fail("no media type for ." file)
	return types[file]
}

function tag_of(file,	command, line) {
	command = "sha256sum '" file "'"
	if ((command | getline line) <= 0 || line !~ /^[0-9a-f]+ /)
		fail("cannot hash " file)
	close(command)
	return substr(line, 1, 32)
}

# 12 bits are three hexadecimal digits, and two of base64.
function base64(hex,	letters, out, i, n) {
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	    "0123456789+/"
	hex = hex "00" # 66: with it, the last four bits are six
	for (i = 1; i <= 64; i += 3) {
		n = (index("0123456789abcdef", substr(hex, i, 1)) - 1) * 256 + \
		    (index("0123456789abcdef", substr(hex, i + 1, 1)) - 1) * 16 + \
		    index("0123456789abcdef", substr(hex, i + 2, 1)) - 1
		out = out substr(letters, int(n / 64) + 1, 1) \
		    substr(letters, n % 64 + 1, 1)
	}
	return substr(out, 1, 43) "="
}

# What stands between <tag> and </tag>, its first line feed included.
function print_digest(file, tag,	command, line, name) {
	command = "{ echo; sed '1,/^<" tag ">$/d; /^<\\/" tag ">$/,$d' '" file \
	    "'; } | sha256sum"
	if ((command | getline line) <= 0 || line !~ /^[0-9a-f]+ /)
		fail("cannot hash the " tag " of " file)
	close(command)
	name = "ASSET_" word_of(file) "_" toupper(tag) "_SHA256"
	print "#define " name " \"" base64(substr(line, 1, 64)) "\""
}

function has_line(file, wanted,	line, found) {
	while ((getline line <file) > 0)
		found = found || line == wanted
	close(file)
	return found
}

function print_bytes(file,	command, line, n, i, bytes, out) {
	command = "od -A n -v -t x1 '" file "'"
	print "static const unsigned char bytes_" tolower(word_of(file)) "[] = {"
	while ((command | getline line) > 0) {
		out = "\t"
		n = split(line, bytes, " ")
		for (i = 1; i <= n; i++)
			out = out "0x" bytes[i] ","
		print out
		size[file] += n
	}
	close(command)
	if (!size[file])
		fail(file " is empty")
	print "};\n"
}

function print_header(	i) {
	print "/* Made by embed_assets.awk. */"
	print "#ifndef PEERPOST_API_ASSET_FILES_H"
	print "#define PEERPOST_API_ASSET_FILES_H\n"
	print "#include \"api/asset.h\"\n"
	for (i = 1; i < ARGC; i++) {
		if (has_line(ARGV[i], "<style>"))
			print_digest(ARGV[i], "style")
		if (has_line(ARGV[i], "<script>"))
			print_digest(ARGV[i], "script")
	}
	print "\nenum asset_file {"
	for (i = 1; i < ARGC; i++)
		print "\tASSET_" word_of(ARGV[i]) ","
	print "\tN_ASSET_FILES\n};\n"
	print "extern const struct asset asset_files[N_ASSET_FILES];\n"
	print "#endif"
}

function print_source(	i, file, is_page) {
	print "/* Made by embed_assets.awk. */"
	print "#include \"api/asset_files.h\"\n"
	for (i = 1; i < ARGC; i++)
		print_bytes(ARGV[i])
	print "const struct asset asset_files[N_ASSET_FILES] = {"
	for (i = 1; i < ARGC; i++) {
		file = ARGV[i]
		is_page = file ~ /\.html$/
		print "\t{ { (const char *)bytes_" tolower(word_of(file)) ", " \
		    size[file] " },"
		print "\t    \"" type_of(file) "\","
		print "\t    \"\\\"" tag_of(file) "\\\"\", " \
		    (is_page ? "true" : "false") " },"
	}
	print "};"
}

BEGIN {
	types["js"] = "text/javascript; charset=utf-8"
	# Types for editors and compilers, which look at the name.  There is no
	# registered type for them, and this one can be read in a browser.
	types["ts"] = "text/plain; charset=utf-8"
	types["css"] = "text/css; charset=utf-8"
	types["html"] = "text/html; charset=utf-8"
	types["yaml"] = "application/yaml"
	if (ARGC < 2)
		fail("files are missing")
	if (part == "header")
		print_header()
	else if (part == "source")
		print_source()
	else
		fail("part is header or source")
	exit 0
}
