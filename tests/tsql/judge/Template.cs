// What a batch is without the values that stand in it: two batches that differ in names, texts and numbers are one template.
using System.Text;
using Microsoft.SqlServer.TransactSql.ScriptDom;

internal static class Template
{
    public static string Of(string text)
    {
        var tokens = new TSql160Parser(true).GetTokenStream(new StringReader(text), out _);
        var shape = new StringBuilder();
        foreach (var token in tokens)
            shape.Append(token.TokenType switch
            {
                TSqlTokenType.QuotedIdentifier => "[]",
                TSqlTokenType.AsciiStringLiteral or TSqlTokenType.UnicodeStringLiteral => "''",
                TSqlTokenType.Integer or TSqlTokenType.HexLiteral => "0",
                TSqlTokenType.WhiteSpace or TSqlTokenType.SingleLineComment => " ",
                _ => token.Text,
            });
        return shape.ToString();
    }
}
