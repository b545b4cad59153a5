# SPDX-License-Identifier: GPL-2.0
#
# Read what run_kselftest.sh printed, say what failed, count every result.
#
#	awk -f ktap.awk -v again='make check TESTS=' LOG
#
# A test file's own results ("# ok 1 ...") are counted one by one. A file
# counts itself only when that shows something its results don't: it failed
# without a failing result, it was skipped whole, or it broke its own plan.
# Ends with "N passed, N failed, N skipped"; exit status 1 if any failed.

function result(ok, text) {
	if (text ~ /# *SKIP/) skipped++
	else if (ok) passed++
	else { failed++; bad++; failures[++nfailures] = name ": " text }
}

function begin(file) {
	name = file; plan = -1; seen = 0; bad = 0; skips = 0; output = ""
}

function end_file(ok, text,	why) {
	if (ok && text ~ /# *SKIP/ && seen == 0) { skipped++; name = ""; return }
	if (plan == 0 && seen == 0 && ok) { skipped++; name = ""; return }
	if (plan < 0) why = "no plan (1..N): it did not say how many results to expect"
	else if (seen < plan) why = "ended early: " seen " of " plan " results"
	else if (seen > plan) why = "more results than planned: " seen " instead of " plan
	else if (!ok && bad == 0) why = "failed, though none of its results did: " text
	if (why != "") result(0, why)
	if (bad) {
		printf "\n---- %s ----\n%s", name, output
		base = name; sub(/\.sh$/, "", base)
		printf "---- again, alone: %s%s\n", again, base
	}
	name = ""
}

BEGIN { total = -1 }
{ sub(/\r$/, "") }
# One of each VM.
/^1\.\.[0-9]+$/ { total = (total < 0 ? 0 : total) + substr($0, 4); next }
/^# selftests: [^:]*: / { sub(/^# selftests: [^:]*: /, ""); begin($0); next }
/^(not )?ok [0-9]+ selftests: / {
	files++
	if (name == "") begin($5)
	end_file($1 == "ok", $0)
	next
}
name != "" {
	output = output $0 "\n"
	line = $0; sub(/^# ?/, "", line)
	# Deeper results are nested in one of these and would count twice.
	if (line ~ /^1\.\.[0-9]+/) plan = substr(line, 4) + 0
	else if (line ~ /^ok( |$)/) { seen++; result(1, line) }
	else if (line ~ /^not ok( |$)/) { seen++; result(0, line) }
}
END {
	if (name != "") {
		bad++; failed++
		failures[++nfailures] = name ": the VM ended during this test"
		printf "\n---- %s ----\n%s", name, output
	} else if (total < 0 || files < total) {
		failed++
		failures[++nfailures] = sprintf("the runner ended after %d of %s test files", files, total < 0 ? "unknown" : total)
	}
	print ""
	for (i = 1; i <= nfailures; i++) print "FAILED " failures[i]
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0
}
