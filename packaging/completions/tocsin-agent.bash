# SPDX-License-Identifier: Apache-2.0
_tocsin_agent()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	case $before in
	--config | --spool | --token-file | --tls | --tls.ca | --tls.certificate | --tls.key | --cgroup)
		COMPREPLY=($(compgen -f -- "$word"))
		;;
	--log.level)
		COMPREPLY=($(compgen -W "error warning info debug" -- "$word"))
		;;
	--compression)
		COMPREPLY=($(compgen -W "off gzip" -- "$word"))
		;;
	--stdin)
		COMPREPLY=($(compgen -W "falco falcosidekick kubearmor tetragon alertmanager tocsin" -- "$word"))
		;;
	*)
		COMPREPLY=($(compgen -W "--server --config --listen --spool --spool_size --spool_age --node --token-file --tls --tls.ca
			--tls.certificate --tls.key --compression --follow --stdin --cgroup --log.level --check-config --help --version" -- "$word"))
		;;
	esac
}
complete -F _tocsin_agent tocsin-agent
