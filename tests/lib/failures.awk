# SPDX-License-Identifier: Apache-2.0
# failures.awk: of the logs of tests, each result that is not well, the first
# lines of what the test noted of it, and the last words of one that broke off.
BEGIN {
	lines = 12
	width = 300
}

function told(    k) {
	for (k = 1; k <= n; k++) {
		print title[k] notes[k]
		if (title[k] ~ / - missing test plan/)
			print "      " substr(died != "" ? died : last, 1, width)
	}
	n = noting = tracing = 0
	died = last = ""
	split("", notes)
}

FNR == 1 { told() }
/^(FAIL|XPASS|ERROR): / {
	sub(/^[A-Z]+: /, "")
	title[noting = ++n] = $0
	left = lines
	next
}
/^#/ {
	if (noting && left-- > 0)
		notes[noting] = notes[noting] "\n      " substr($0, 3, width)
	next
}
/^((PASS|SKIP|XFAIL): |ok |not ok |[0-9]+\.\.[0-9]+)/ {
	noting = 0
	next
}
# Of the last of several exceptions its place, and the line behind its calls.
/^Traceback / { tracing = 1; next }
tracing && /^  File / { sub(/^ */, ""); at = $0; next }
tracing && /^[^ \t]/ { died = $0 " (" at ")"; tracing = 0; next }
NF && !tracing { last = $0 }
END { told() }
