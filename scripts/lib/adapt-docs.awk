# The doc comments of generated sources, as an app developer is to read them. UniFFI hands on what Rust's say, word for word:
#
#   awk -v language=kotlin|swift|typescript -f adapt-docs.awk FILE
#
# - names between backticks are spelled as these languages do: `set_auth_token` becomes `setAuthToken`;
# - a custom type says what its text or number means, and not how it came to be;
# - what only the generated code itself uses is left out of documentation, as each language's tool understands it.
#
# No line of code changes.

BEGIN {
  # As in core/src/model/quantity.rs and id.rs.
  meaning["UnixMillis"] = "A time: milliseconds since 1970-01-01, 00:00 UTC."
  meaning["ByteCount"] = "A number of bytes."
  meaning["QrHash"] = "The name under which a code is voted on: the SHA-256 of its canonical form, as 64 lowercase hexadecimal digits."
  meaning["VoterId"] = "A voter without a name, as 32 hexadecimal digits: a keyed hash that only this installation could trace back."
  meaning["ScanId"] = "A scan's name, as 16 hexadecimal digits. Ids sort as the times of their scans do."
  meaning["OperationId"] = "The name of a change that waits for the server: a UUID, given with the change and kept for ever."
}

# Each comment is held back until the line after it tells what it belongs to.
/^ *\/\*\*/ && !in_comment { flush(); in_comment = 1 }
in_comment {
  held[++lines] = spelled($0)
  if (index($0, "*/")) in_comment = 0
  next
}
/^ *\/\/\// { print spelled($0); next }
{
  subject($0)
  flush()
  if (hide) { print "@_documentation(visibility: private)"; hide = 0 }
  print
}
END { if (failed) exit 1; flush() }

function flush(   i) {
  for (i = 1; i <= lines; i++) print held[i]
  lines = 0
}

# say(TEXT): the comment of the coming line, whatever stood there.
function say(text, line,   indent) {
  match(line, /^ */); indent = substr(line, 1, RLENGTH)
  lines = 0
  held[++lines] = indent "/**"; held[++lines] = indent " * " text; held[++lines] = indent " */"
}

function subject(line,   words, name) {
  if (line ~ /^(public |export )(typealias|type) [A-Z][A-Za-z]* = /) {
    split(line, words, " "); name = words[3]
    if (name in meaning) say(meaning[name], line)
    else if (name ~ /^FfiConverter/) say("@suppress", line)
    else if (language == "kotlin") { print "error: scripts/lib/adapt-docs.awk does not say what a " name " means" >"/dev/stderr"; exit failed = 1 }
  }
  # A record's factory bears the record's name; the package hands out the type alone.
  if (language == "typescript" && lines > 1 && held[2] ~ /^ \* Generated factory for /) say("@internal", line)
  if (language == "swift" && line ~ /^(public protocol [A-Za-z]*Protocol:|open class [A-Za-z]*Impl:|public func uniffi)/) hide = 1
  if (language != "kotlin") return
  if (line ~ /^public interface [A-Za-z]*Interface /) say("@suppress", line)
  if (line ~ /^open class [A-Za-z]*Impl:/) say("@suppress", line)
  if (line ~ /^interface Disposable /) say("@suppress", line)
  if (line ~ /^ +companion object$/ || line ~ /^ +companion object ErrorHandler /) say("@suppress", line)
  if (line ~ /^    override fun destroy\(\) /) say("@suppress", line)
  if (line ~ /^    @Synchronized$/) say("Gives this handle back; calls in work go on to their end. Calls made through it afterwards fail.", line)
  if (line ~ /^class InternalException\(/) say("The generated layer failed: a bug, or a library of another version. What the core fails with is [SafeScanException].", line)
}

# spelled(LINE): `snake_case` between backticks as `camelCase`; also behind a dot.
function spelled(line,   out, start, size) {
  out = ""
  while (match(line, /`[A-Za-z.]*[a-z]_[a-z_]*`/)) {
    start = RSTART; size = RLENGTH
    out = out substr(line, 1, start - 1) camel(substr(line, start, size))
    line = substr(line, start + size)
  }
  return out line
}

function camel(word,   at) {
  while ((at = match(word, /_[a-z]/)) > 0) word = substr(word, 1, at - 1) toupper(substr(word, at + 1, 1)) substr(word, at + 2)
  return word
}
