# fish completion for curfew(8). What to offer comes from curfew itself.
function __curfew_offer
    set -l words (commandline --cut-at-cursor --tokenize --current-process)
    set -l current (commandline --cut-at-cursor --current-token)
    set -l offered (curfew complete $words[2..-1] $current 2>/dev/null)
    if contains -- :files $offered
        __fish_complete_path (string replace --regex -- '^--[^=]*=' '' $current)
        return
    end
    printf '%s\n' $offered
end
complete --command curfew --no-files --arguments '(__curfew_offer)'
