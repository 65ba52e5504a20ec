# SPDX-License-Identifier: Apache-2.0
# made by tocsin reference completion
_tocsin() {
	local words
	case ${COMP_WORDS[1]-} in
	incidents) words='list show activity ack assign comment resolve reopen snooze cut merge unlink undo' ;;
	suppress) words='list show hits add preview export expire' ;;
	alerts) words='list kinds show raw' ;;
	entities) words='show' ;;
	ledger) words='status verify' ;;
	tokens) words='list create revoke' ;;
	config) words='check show schema sample' ;;
	reference) words='commands settings query manual completion' ;;
	*) words='' ;;
	esac
	[ "$COMP_CWORD" != 1 ] || words='status sources coverage incidents suppress recorrelate alerts entities tail ingest ledger tokens sign-in tokens config reference help version'
	COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tocsin tocsin
