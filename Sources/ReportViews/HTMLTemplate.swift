/// The page of `HTMLReport`, for Mustache (<https://mustache.github.io/mustache.5.html>).
///
/// Page and charts are dark where the reader prefers that, by the same rule; charts bring it with them.
enum HTMLTemplate {
  static let text = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="generator" content="martlet report">
    <title>Martlet report: {{deployment}}</title>
    <style>
    :root { --paper: #ffffff; --card: #f5f6f8; --ink: #1d2329; --soft: #5a6570; --rule: #d9dde2;
      --mark: #0072b2; }
    @media screen and (prefers-color-scheme: dark) {
      :root { --paper: #14181c; --card: #1e2429; --ink: #e6e9ec; --soft: #9aa5b0; --rule: #384049;
        --mark: #56b4e9; }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 3rem; background: var(--paper);
      color: var(--ink); font: 1rem/1.5 system-ui, "Helvetica Neue", Arial, sans-serif; }
    h1 { margin: 0; font-size: 1.6rem; }
    h2 { margin: 2.5rem 0 .75rem; font-size: 1.15rem; }
    p.sub { margin: .25rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
    .tiles { display: grid; gap: .75rem; margin: 1.5rem 0 0; padding: 0; list-style: none;
      grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); }
    .tiles li { padding: .75rem 1rem; border-radius: .5rem; background: var(--card); }
    .tiles span { display: block; color: var(--soft); font-size: .85rem; }
    .tiles strong { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
    ul.notes { margin: 1.25rem 0 0; padding: .6rem 1rem .6rem 2rem; color: var(--soft);
      border-left: 3px solid var(--mark); background: var(--card); border-radius: .25rem; }
    .charts { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
    @media (min-width: 60rem) { .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
    figure { margin: 0; border: 1px solid var(--rule); border-radius: .5rem;
      padding: .5rem; }
    figure svg { display: block; margin: 0 auto; }
    @media (max-width: 32rem) {
      .charts { margin: 0 -1rem; }
      figure { border-width: 1px 0; border-radius: 0; padding: .25rem 0; }
    }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: .875rem;
      font-variant-numeric: tabular-nums; }
    th, td { padding: .35rem .6rem .35rem 0; text-align: right; vertical-align: top;
      border-bottom: 1px solid var(--rule); white-space: nowrap; }
    th { color: var(--soft); font-weight: 600; }
    tbody th { color: var(--ink); }
    tr > :first-child { text-align: left; white-space: normal; min-width: 7rem; }
    .foot { margin: .5rem 0 0; padding-left: 1.2rem; color: var(--soft); font-size: .85rem; }
    footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
    @media print {
      :root { --paper: #ffffff; --card: #f5f6f8; --ink: #000000; --soft: #444444; --rule: #bbbbbb; }
      body { max-width: none; padding: 0; font-size: .8rem; }
      figure, table, .tiles li { break-inside: avoid; }
      figure, .scroll { overflow: visible; }
      .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
      h2 { break-after: avoid; }
      table { font-size: .7rem; }
      th, td { white-space: normal; padding-right: .4rem; }
    }
    </style>
    </head>
    <body>
    <header>
    <h1>Martlet: {{deployment}}</h1>
    <p class="sub">{{subtitle}}</p>
    <ul class="tiles">
    {{#tiles}}
    <li><span>{{name}}</span><strong>{{value}}</strong><span>{{note}}</span></li>
    {{/tiles}}
    </ul>
    </header>
    <main>
    {{#hasNotes}}
    <ul class="notes">
    {{#notes}}
    <li>{{.}}</li>
    {{/notes}}
    </ul>
    {{/hasNotes}}
    <section>
    <h2>Charts</h2>
    <div class="charts">
    {{#charts}}
    <figure>{{{.}}}</figure>
    {{/charts}}
    </div>
    </section>
    {{#tables}}
    <section>
    <h2>{{title}}</h2>
    <div class="scroll"><table>
    <thead><tr>{{#header}}<th scope="col">{{.}}</th>{{/header}}</tr></thead>
    <tbody>
    {{#rows}}
    <tr><th scope="row">{{head}}</th>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody>
    </table></div>
    <ul class="foot">{{#notes}}<li>{{.}}</li>{{/notes}}</ul>
    </section>
    {{/tables}}
    </main>
    <footer>Made by martlet report, schema {{version}}, from what was published over MQTT.</footer>
    </body>
    </html>

    """
}
