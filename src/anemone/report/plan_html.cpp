// A plan as one page that loads nothing from elsewhere.
#include "anemone/report/plan_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/markup.h"
#include "anemone/report/plan_view.h"

namespace anemone::report {
namespace {

using plan::Plan;
using plan::Unit;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem}
h1{font-size:1.3rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin-top:1.6rem}
.note{color:#777}.numbers{display:flex;flex-wrap:wrap;gap:.6rem 1.6rem;margin:.8rem 0;padding:0}
.numbers div{min-width:8rem}.numbers b{display:block;font-size:1.15rem}
.strip{display:flex;height:34px;border-radius:4px;overflow:hidden;margin:.4rem 0}
.strip span{min-width:2px;border-right:1px solid #fff8}
.unit{color:#fff;border-radius:3px;padding:0 .4em;font-size:.85em;white-space:nowrap}
details{border-top:1px solid var(--line);padding:.4rem 0}summary{cursor:pointer}
.tools{display:flex;flex-wrap:wrap;align-items:center;gap:.6rem;margin:.6rem 0}.tools input{flex:1 1 12rem}
.tools input,.tools select{font:inherit;padding:.3rem;min-width:0}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
th{position:sticky;top:0;background:Canvas}th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:2px solid}.n{text-align:right;font-variant-numeric:tabular-nums}
th:nth-child(n+4):nth-child(-n+6){text-align:right}
.group td{background:var(--soft);font-weight:600}.name{overflow-wrap:anywhere;width:22rem}
code,p,summary{overflow-wrap:anywhere}
@media(max-width:50rem){
table,thead,tbody{display:block}thead{position:sticky;top:0;background:Canvas}
tr{display:flex;flex-wrap:wrap;gap:.1rem .8rem;padding:.3rem 0;border-bottom:1px solid var(--line)}
td,th{border:0;padding:0}.name,.why,.group td{width:auto;flex:1 0 100%}
td:nth-child(4)::after{content:" µs"}td:nth-child(5)::after{content:" kB"}td:nth-child(6)::after{content:" MMAC"}
}
)";

// Sorting moves rows, grouping puts a heading before each cause, searching hides what does not match.
constexpr std::string_view kScript = R"(
const body=document.querySelector('tbody'),rows=[...body.rows],find=document.querySelector('#find'),by=document.querySelector('#by');
let column=-1,down=true;
const key=(row,i)=>row.cells[i].dataset.v??row.cells[i].textContent;
function show(){
  const words=find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const seen=rows.filter(r=>words.every(w=>r.textContent.toLowerCase().includes(w)));
  if(column>=0)seen.sort((a,b)=>{const x=key(a,column),y=key(b,column),d=isNaN(x)||isNaN(y)?x.localeCompare(y):x-y;return down?-d:d});
  const groups=new Map();
  for(const r of seen){const g=by.value?r.dataset[by.value]:'';if(!groups.has(g))groups.set(g,[]);groups.get(g).push(r)}
  body.replaceChildren();
  for(const [name,members] of groups){
    if(by.value){
      const head=body.insertRow(),cell=head.insertCell(),us=members.reduce((s,r)=>s+Number(r.dataset.us),0);
      head.className='group';cell.colSpan=7;cell.textContent=`${name}: ${members.length} operation${members.length===1?'':'s'}, ${us.toFixed(1)} µs`;
    }
    body.append(...members);
  }
  document.querySelector('#count').textContent=`${seen.length} of ${rows.length} operations`;
}
document.querySelectorAll('th button').forEach((b,i)=>b.addEventListener('click',()=>{
  down=column===i?!down:i>=3&&i<=5;column=i;
  document.querySelectorAll('th').forEach((t,j)=>t.setAttribute('aria-sort',j===i?(down?'descending':'ascending'):'none'));show()}));
find.addEventListener('input',show);by.addEventListener('change',show);show();
)";

std::string unit_mark(Unit unit) {
  return fmt::format("<span class=\"unit\" style=\"background:{}\">{}</span>", color(unit), name(unit));
}

std::string cause(const plan::PlannedOp& op) {
  if (op.verdict.code.empty()) return op.unit == Unit::ane ? "on the engine" : "where the planner puts it";
  return op.verdict.code;
}

std::string numbers(const Plan& p) {
  std::string out = "<div class=\"numbers\">\n";
  const auto number = [&](std::string_view value, std::string_view label) {
    out += fmt::format("<div><b>{}</b>{}</div>\n", as_markup(value), as_markup(label));
  };
  number(fmt::format("{} of {}", p.on_ane, p.ops.size()),
         fmt::format("operations on the engine; {} could be", p.supported));
  number(fmt::format("{}", p.segments.size()), fmt::format("segments, {} on the engine", p.partitions));
  number(latency_text(p.latency) + (p.latency.warning.empty() ? " ms" : ""),
         p.latency.warning.empty() ? "a warm call, predicted" : p.latency.warning);
  number(fmt::format("{:.2f} ms", p.planner_ms), "the planner's own estimate");
  return out + "</div>\n";
}

std::string strip(const Plan& p) {
  double total = 0;
  for (const plan::Segment& s : p.segments) total += s.us;
  std::string out = "<div class=\"strip\" role=\"img\" aria-label=\"segments in program order\">\n";
  for (const plan::Segment& s : p.segments) {
    out += fmt::format(
        "<span style=\"flex:{:.4f};background:{}\" title=\"{}: {} operations, {:.1f} µs, {} … {}\"></span>\n",
        std::max(0.002, total > 0 ? s.us / total : 1), color(s.unit), name(s.unit), s.ops, s.us, as_markup(s.first),
        as_markup(s.last));
  }
  return out + "</div>\n<p>" + unit_mark(Unit::ane) + " " + unit_mark(Unit::cpu) + " " + unit_mark(Unit::gpu) +
         " segments in program order, as wide as the planner's estimate of their time</p>\n";
}

std::string findings(const Plan& p) {
  if (p.findings.empty()) return "<p>nothing was found</p>\n";
  std::string out;
  for (const plan::Finding& f : p.findings) {
    out +=
        fmt::format("<details><summary><b>{}</b> {}{} <span class=\"note\">({})</span></summary>\n", f.code,
                    as_markup(f.message), f.cost_us ? fmt::format("; about {:.0f} µs", *f.cost_us) : "", name(f.trust));
    if (f.without) out += fmt::format("<p>{}</p>\n", as_markup(outcome_text(*f.without, p)));
    if (!f.instead.empty()) out += fmt::format("<p>instead: {}</p>\n", as_markup(f.instead));
    if (!f.command.empty()) out += fmt::format("<p><code>{}</code></p>\n", as_markup(f.command));
    constexpr std::size_t kMost = 200;
    std::string names;
    for (std::size_t i = 0; i < std::min(kMost, f.ops.size()); ++i) names += (i ? ", " : "") + as_markup(f.ops[i]);
    if (f.ops.size() > kMost) names += fmt::format(" and {} more", f.ops.size() - kMost);
    if (!names.empty()) out += fmt::format("<p class=\"name\">at: {}</p>\n", names);
    out += "</details>\n";
  }
  return out;
}

std::string table(const Plan& p) {
  std::string out =
      "<div class=\"tools\"><input id=\"find\" type=\"search\" placeholder=\"search operations\" aria-label=\"search\">\n"
      "<select id=\"by\" aria-label=\"group by\"><option value=\"cause\">grouped by cause</option>"
      "<option value=\"type\">grouped by type</option><option value=\"unit\">grouped by unit</option>"
      "<option value=\"\">in program order</option></select><span id=\"count\"></span></div>\n"
      "<table><thead><tr>";
  for (const std::string_view title : {"operation", "type", "unit", "µs", "kB", "MMAC", "why"})
    out += fmt::format("<th aria-sort=\"none\"><button>{}</button></th>", title);
  out += "</tr></thead>\n<tbody>\n";
  for (const plan::PlannedOp& op : p.ops) {
    const std::string why = op.verdict.code.empty() ? op.verdict.reason : op.verdict.code + ": " + op.verdict.reason;
    out += fmt::format(
        "<tr data-cause=\"{}\" data-type=\"{}\" data-unit=\"{}\" data-us=\"{:.3f}\"><td class=\"name\">{}</td><td>{}</td>"
        "<td>{}</td><td class=\"n\">{:.2f}</td><td class=\"n\">{:.1f}</td><td class=\"n\">{:.2f}</td>"
        "<td class=\"why\">{} <span class=\"note\">({})</span></td></tr>\n",
        as_markup(cause(op)), as_markup(op.type), name(op.unit), op.us, as_markup(op.output), as_markup(op.type),
        unit_mark(op.unit), op.us, static_cast<double>(op.bytes) / 1e3, static_cast<double>(op.macs) / 1e6,
        as_markup(why), name(op.verdict.trust));
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::string plan_html(const toolchain::PlanResult& result) {
  const Plan& p = result.plans.front();
  const std::string title = as_markup(fmt::format("{} on {}", result.model, p.chip));
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<link rel=\"icon\" href=\"data:,\"><title>{}</title>\n<style>{}</style></head>\n<body>\n<h1>{} ({})</h1>\n"
      "<p class=\"note\">A prediction from rules and cost models, not a measurement. Weakest evidence: {}.</p>\n",
      title, kStyle, title, as_markup(p.compute_units), name(p.weakest_trust));
  out += numbers(p) + strip(p);
  out += "<h2>Findings, most expensive first</h2>\n" + findings(p);
  out += "<h2>Operations</h2>\n" + table(p);
  out += "<h2>Notes</h2>\n<ul>\n";
  for (const auto* notes : {&p.notes, &result.notes}) {
    for (const std::string& note : *notes) out += fmt::format("<li>{}</li>\n", as_markup(note));
  }
  out += fmt::format("<li>{}</li>\n</ul>\n<script>{}</script>\n</body></html>\n", as_markup(p.latency.basis), kScript);
  return out;
}

}  // namespace anemone::report
