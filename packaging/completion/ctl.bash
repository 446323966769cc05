# bash completion for @PROGRAM@: made by the build of the program's table of commands and its schema (packaging/completion).
#
# Completes commands, options, tables and columns from what is written below, and names of rows by asking the database, for at most a
# second. Nothing is evaluated that was typed.

_@NAME@_commands='@COMMANDS@'
_@NAME@_global='@GLOBAL@'
_@NAME@_with_argument='@WITH_ARGUMENT@'
_@NAME@_tables='@TABLES@'

# The options of command $1, and what its arguments are, for _@NAME@_argument(); "..." repeats the last.
_@NAME@_command()
{
    options= arguments=
    case $1 in
@COMMAND_CASES@
    *) return 1 ;;
    esac
}

# The values of global option $1 that can be said.
_@NAME@_option_values()
{
    case $1 in
@OPTION_CASES@
    esac
}

# The columns of table $1, and the one that names its rows.
_@NAME@_table()
{
    columns= name=_uuid
    local table=${1,,}
    case ${table//-/_} in
@TABLE_CASES@
    esac
}

# Adds the words $2... that begin with $1, quoted; $1 is what is typed of the word.
_@NAME@_offer()
{
    local typed=$1 word quoted
    shift
    for word; do
        [[ $word == "$typed"* ]] || continue
        if [[ $word == *[[:space:]\"\'\\\$\`\&\|\;\(\)\<\>\*\?\!\#]* ]]; then
            printf -v quoted %q "$word"
        else
            quoted=$word
        fi
        COMPREPLY+=("$quoted")
    done
}

# Offers the rows of table $2 of the database of program $3, by column $4.
_@NAME@_offer_rows()
{
    local typed=$1 table=$2 program=$3 column=$4
    local -a rows=()
    local -a tool=("$program" --timeout=1 --no-syslog --bare --no-headings "--columns=$column")
    [[ $program == "${words[0]##*/}" ]] && tool=("${words[0]}" "${tool[@]:1}" "${server[@]}")
    mapfile -t rows < <({ "${tool[@]}" list "$table"; } 2>/dev/null | LC_ALL=C sort -u | grep .)
    _@NAME@_offer "$typed" "${rows[@]}"
}

# Offers what argument $2 may be (a table whose rows it names, or a word below); $3... are the arguments before.
_@NAME@_argument()
{
    local typed=$1 what=$2 columns name
    shift 2
    case $what in
    -) ;;
    TABLE) _@NAME@_offer "$typed" $_@NAME@_tables ;;
    RECORD)
        _@NAME@_table "$1"
        [[ -n $columns ]] && _@NAME@_offer_rows "$typed" "$1" @PROGRAM@ "$name"
        ;;
    COLUMN)
        _@NAME@_table "$1"
        _@NAME@_offer "$typed" $columns
        ;;
    COLUMN=)
        _@NAME@_table "$1"
        [[ $typed == *[=:]* ]] || _@NAME@_offer "$typed" ${columns// /= }${columns:+=}
        [[ ${#COMPREPLY[@]} -eq 1 ]] && compopt -o nospace 2>/dev/null
        ;;
    CHASSIS) _@NAME@_offer_rows "$typed" Chassis ovn-sbctl name ;;
    *\|*)
        for what in ${what//|/ }; do
            _@NAME@_argument "$typed" "$what" "$@"
        done
        ;;
    *,*) _@NAME@_offer "$typed" ${what//,/ } ;;
    *)
        _@NAME@_table "$what"
        _@NAME@_offer_rows "$typed" "$what" @PROGRAM@ "$name"
        ;;
    esac
}

# Commands, or options, where either may stand: $1 is typed, $2... are the options of this command that stand before.
_@NAME@_command_or_option()
{
    local typed=$1 command option fits
    shift
    for command in $_@NAME@_commands; do
        if [[ $typed != -* ]]; then
            [[ $command == "$typed"* ]] || continue
            if (($# == 0)); then
                COMPREPLY+=("$command")
                continue
            fi
        fi
        _@NAME@_command "$command"
        fits=1
        for option; do
            [[ " ${options//=/} " == *" ${option%%=*} "* ]] || fits=
        done
        [[ -n $fits ]] || continue
        if [[ $typed != -* ]]; then
            _@NAME@_offer "$typed" "$command"
        else
            for option in $options; do
                [[ " $* " == *" ${option%=}"[\ =]* || " ${COMPREPLY[*]} " == *" $option "* ]] || _@NAME@_offer "$typed" "$option"
            done
        fi
    done
}

_@NAME@()
{
    local line=${COMP_LINE:0:COMP_POINT} typed= word i n segment=1 options arguments
    local -a words=() server=() own=() kinds=()
    read -ra words <<<"$line"
    if [[ $line != *[[:space:]] ]]; then
        n=$((${#words[@]} - 1))
        typed=${words[n]}
        unset "words[n]"
    fi
    COMPREPLY=()

    # What stands before: global options, then commands, each after its options. COMMAND is the one that the word belongs to.
    local command= value_of= is_server
    local -a given=()
    for ((i = 1; i < ${#words[@]}; i++)); do
        word=${words[i]}
        if [[ -n $value_of ]]; then
            [[ -n $is_server ]] && server+=("$word")
            value_of=
        elif [[ $word == -- ]]; then
            command= own=() given=() segment=2
        elif [[ -n $command ]]; then
            given+=("$word")
        elif [[ $word != -* ]]; then
            command=$word
        elif [[ $segment == 1 && ($word != --* || " $_@NAME@_global " == *" ${word%%=*}"[\ =]*) ]]; then
            is_server=
            case $word in
            --db* | -u* | --unixctl* | --*leader-only | -p* | --private-key* | -c* | --certificate* | -C* | --ca-cert*)
                is_server=1
                server+=("$word")
                ;;
            esac
            [[ $word != *=* && " $_@NAME@_with_argument " == *" $word "* ]] && value_of=$word
        else
            own+=("$word")
        fi
    done

    if [[ -n $value_of ]]; then
        _@NAME@_offer "$typed" $(_@NAME@_option_values "$value_of")
        [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$typed"))
        return
    elif [[ -n $command ]]; then
        _@NAME@_command "$command" || return
        read -ra kinds <<<"$arguments"
        n=${#given[@]}
        [[ $arguments == *... && $n -ge $((${#kinds[@]} - 1)) ]] && n=$((${#kinds[@]} - 2))
        [[ -n ${kinds[n]-} && ${kinds[n]} != ... ]] && _@NAME@_argument "$typed" "${kinds[n]}" "${given[@]}"
        [[ ${#COMPREPLY[@]} -eq 0 ]] && _@NAME@_offer "$typed" --
    elif [[ $segment == 1 && $typed == -*=* ]]; then
        for word in $(_@NAME@_option_values "${typed%%=*}"); do
            _@NAME@_offer "$typed" "${typed%%=*}=$word"
        done
    else
        _@NAME@_command_or_option "$typed" "${own[@]}"
        [[ $segment == 1 && $typed == -* ]] && _@NAME@_offer "$typed" $_@NAME@_global
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    fi

    # Where bash thinks that the word begins later, what stands before is left out.
    local ends=${COMP_WORDBREAKS//[^=:]/} before
    if [[ -n $ends && $typed == *["$ends"]* ]]; then
        before=${typed%"${typed##*["$ends"]}"}
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$before"}
        done
    fi
}

complete -F _@NAME@ @PROGRAM@
