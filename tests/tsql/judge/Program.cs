// Reads T-SQL batches, one JSON string a line, and lets SQL Server's own parser read them at every language level that
// Curfew promises, on all processors. Answers with one JSON object a line: what is wrong with a batch, and at last the counts.
using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.SqlServer.TransactSql.ScriptDom;

int[] levels = [130, 140, 150, 160];
var parsed = levels.ToDictionary(level => level, _ => 0);
var statements = levels.ToDictionary(level => level, _ => 0);
var templates = new ConcurrentDictionary<string, bool>();

static IEnumerable<string> Lines()
{
    while (Console.ReadLine() is { } line)
        yield return line;
}

// No parser is used by two threads.
static TSqlParser Parser(int level) => level switch
{
    130 => new TSql130Parser(true),
    140 => new TSql140Parser(true),
    150 => new TSql150Parser(true),
    _ => new TSql160Parser(true),
};

// One thread at a time.
void Tell(object answer) => Console.WriteLine(JsonSerializer.Serialize(answer));

void Judge(string text)
{
    TSqlFragment? tree = null;
    foreach (var level in levels)
    {
        tree = Parser(level).Parse(new StringReader(text), out var errors);
        lock (templates)
        {
            foreach (var e in errors)
                Tell(new { level, error = $"{e.Number}: line {e.Line}: {e.Message}", text });
            if (errors.Count > 0)
                continue;
            parsed[level]++;
            statements[level] += ((TSqlScript)tree).Batches.Sum(batch => batch.Statements.Count);
        }
    }
    var problems = Names.Check(tree!).ToList();
    lock (templates)
        foreach (var problem in problems)
            Tell(new { level = 160, error = problem, text });
}

Parallel.ForEach(Lines(), line =>
{
    var text = JsonSerializer.Deserialize<string>(line)!;
    if (templates.TryAdd(Template.Of(text), true))
        Judge(text);
});
Tell(new { templates = templates.Count, parsed, statements });
