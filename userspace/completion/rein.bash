# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of rein for bash. Names of limits and cgroups are what there is.

_rein_cgroups() {
	local mount

	mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$mount" ] && cd "$mount" 2>/dev/null && compgen -d -- "$1" | sed 's|$|/|'
}

# What option $1 takes.
_rein_value() {
	local events='beat begin end miss expired step resumed gone'

	case $1 in
	--cgroup)	_rein_cgroups "$2"; echo self ;;
	--on)		echo egress ingress connect accept call ;;
	--over)		echo refuse wait mark observe ;;
	--for)		[[ " ${COMP_WORDS[*]} " == *" wait "* ]] && echo "$events" || echo infinity ;;
	--timeout | --after) echo infinity ;;
	--on-miss)	echo record signal: cancel kill reset exec ;;
	-s | --signal)	echo TERM INT HUP QUIT USR1 USR2 KILL ;;
	--budget)	rein -q limit list --on call 2>/dev/null | awk '{ print $2 }' | sort -u ;;
	--kind)		echo bug edge ;;
	--severity)	echo info notice warning error ;;
	--pid)		compgen -f /proc/ | sed -n 's|^/proc/\([0-9]*\)$|\1|p' ;;
	*)		return 1 ;;
	esac
}

# What may follow the words so far.
_rein_next() {
	local change='--cgroup --socket --on --rate --over --patience --queue --credit --for'
	local rules='--every --miss --min --max --grace --pretimeout --unit-min --unit-max
		--order --on-miss'

	case $1 in
	'')		echo limit take scope race watch beat chain errors monitor stat flush version help -j -p -q -v -f -b ;;
	limit)		echo add replace set del show list ;;
	"limit add"*)	echo "$change" --per-socket ;;
	"limit replace"* | "limit set"* | "limit del"* | "limit show"*)
		case $1 in
		*" replace"*) echo "$change" --per-socket ;;
		*" set"*) echo "$change" ;;
		*)	echo --cgroup --socket ;;
		esac
		rein -q limit list 2>/dev/null | awk '{ print $2 }'
		;;
	"limit list"*)	echo --cgroup --socket --sockets --on --stats ;;
	take*)
		echo --timeout --try --
		rein -q limit list --on call 2>/dev/null | awk '{ print $2 }' | sort -u
		;;
	scope)		echo run list show wait check cancel ;;
	"scope run"*)	echo --timeout --name --signal --kill-after -- ;;
	"scope list"* | "scope show"* | "scope wait"* | "scope cancel"*)
		case $1 in
		*" wait"*) echo --timeout ;;
		*" cancel"*) echo --reason ;;
		esac
		rein -q scope list 2>/dev/null | awk 'NR > 1 { print $1; if ($2 != "-") print $2 }'
		;;
	race*)		echo --replicas --after --timeout --budget --credit --name -- ;;
	watch)		echo add run list show wait arm test del ;;
	"watch add"*)	echo --cgroup --pid --socket "$rules" --beat --token --off ;;
	"watch run"*)	echo "$rules" --restart --backoff --signal -- ;;
	beat* | "watch list"* | "watch show"* | "watch wait"* | "watch arm"* | "watch test"* | "watch del"*)
		case $1 in
		beat*)	echo --begin --deadline --end --checkpoint --token ;;
		*" list"*) echo --stats ;;
		*" wait"*) echo --for --timeout ;;
		*" arm"*) echo --every --grace --off ;;
		*" test"*) echo --real ;;
		esac
		rein -q watch list 2>/dev/null | awk 'NR > 1 { print $1; if ($2 != "-") print $2 }'
		;;
	chain*)		echo --cgroup --pid --socket ;;
	errors)		echo list follow clear show explain ;;
	"errors list"*|"errors follow"*)	echo --kind --code --severity --limit --cgroup --since --last ;;
	"errors show")	rein -q errors list 2>/dev/null | awk 'NR > 1 { print $1 }' ;;
	"errors explain") rein errors explain 2>/dev/null | awk '{ print $1 }' ;;
	monitor*)	echo limits errors scopes watches --exec ;;
	flush)		echo --force ;;
	help)		echo limit take scope race watch beat chain errors monitor stat flush version help ;;
	"help limit")	echo add replace set del show list ;;
	"help scope")	echo run list show wait check cancel ;;
	"help watch")	echo add run list show wait arm test del ;;
	"help errors")	echo list follow clear show explain ;;
	esac
}

# The command that follows "take ... --", or another form that runs one, is completed as it is
# on its own.
_rein_command() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && break
	done
	[[ $i -lt $COMP_CWORD && " ${COMP_WORDS[*]:0:i} " =~ " "(take|scope run|race|watch run)" " ]] &&
		declare -F _command_offset >/dev/null &&
		_command_offset $((i + 1))
}

_rein() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i words=() all

	COMPREPLY=()
	_rein_command && return
	case $before in
	-b | --batch)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac
	if ! all=$(_rein_value "$before" "$word"); then
		for ((i = 1; i < COMP_CWORD; i++)); do
			[[ ${COMP_WORDS[i]} == -* ]] || words+=("${COMP_WORDS[i]}")
		done
		all=$(_rein_next "${words[*]}")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$all" -- "$word")
}

complete -F _rein rein
