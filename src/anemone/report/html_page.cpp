// Style, script, frame.
#include "anemone/report/html_page.h"

#include <fmt/format.h>

#include "anemone/report/markup.h"

namespace anemone::report {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--dim:#595959;--one:#0063b0;--two:#b34700}
@media(prefers-color-scheme:dark){:root{--dim:#b4b4b4;--one:#6db9ff;--two:#ffa45c}}
html{background:Canvas;color:CanvasText}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem}
h1{font-size:1.3rem;overflow-wrap:anywhere}h2{font-size:1.05rem;margin-top:1.6rem}
.note{color:var(--dim)}.numbers{display:flex;flex-wrap:wrap;gap:.6rem 1.6rem;margin:.8rem 0;padding:0}
.numbers div{min-width:8rem}.numbers b{display:block;font-size:1.15rem}
.strip{display:flex;height:34px;border-radius:4px;overflow:hidden;margin:.4rem 0}
.strip span{min-width:2px;border-right:1px solid #fff8}
.unit{border-left:.7em solid;padding-left:.3em;white-space:nowrap}
details{border-top:1px solid var(--line);padding:.4rem 0}summary{cursor:pointer}
.tools{display:flex;flex-wrap:wrap;align-items:center;gap:.6rem;margin:.6rem 0}.tools input{flex:1 1 12rem}
.tools input,.tools select{font:inherit;padding:.3rem;min-width:0}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
tbody th{font-weight:400}thead th{position:sticky;top:0;background:Canvas}
th button{all:unset;cursor:pointer;font-weight:600}th button:focus-visible{outline:2px solid}
.group td{background:var(--soft);font-weight:600}.name{overflow-wrap:anywhere;width:22rem}
code,p,summary,td,th,li{overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
figure{margin:.6rem 0}.pictures{display:flex;flex-wrap:wrap;gap:1rem}.pictures figure{flex:1 1 16rem;max-width:24rem}
svg{max-width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:CanvasText}
.bad{font-weight:700}
@media(max-width:50rem){
table,thead,tbody{display:block}.ops thead{position:sticky;top:0;background:Canvas}.plain thead{display:none}
tr{display:flex;flex-wrap:wrap;gap:.1rem .8rem;padding:.3rem 0;border-bottom:1px solid var(--line)}
td,th{border:0;padding:0}.name,.why,.group td,.plain tbody th{width:auto;flex:1 0 100%}.plain tbody th{font-weight:600}
td[data-unit]::after{content:" " attr(data-unit)}.plain td[data-label]::before{content:attr(data-label) ": ";color:var(--dim)}
}
@media print{body{max-width:none;font-size:11px}.tools{display:none}thead th{position:static}tr,figure{break-inside:avoid}}
)";

// Sorting moves rows, grouping puts a heading before each cause, searching hides what does not match.
constexpr std::string_view kScript = R"(
const table=document.querySelector('table.ops');
if(table){
const body=table.tBodies[0],rows=[...body.rows],heads=[...table.tHead.rows[0].cells],find=document.querySelector('#find'),by=document.querySelector('#by');
let column=-1,down=true;
const key=(row,i)=>row.cells[i].dataset.v??row.cells[i].textContent;
const number=i=>heads[i].classList.contains('n');
function show(){
  const words=find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const seen=rows.filter(r=>words.every(w=>r.textContent.toLowerCase().includes(w)));
  if(column>=0)seen.sort((a,b)=>{const x=key(a,column),y=key(b,column),d=number(column)?Number(x)-Number(y):x.localeCompare(y);return down?-d:d});
  const groups=new Map();
  for(const r of seen){const g=by.value?r.dataset[by.value]:'';if(!groups.has(g))groups.set(g,[]);groups.get(g).push(r)}
  body.replaceChildren();
  for(const [name,members] of groups){
    if(by.value){
      const head=body.insertRow(),cell=head.insertCell(),us=members.reduce((s,r)=>s+Number(r.dataset.us),0);
      head.className='group';cell.colSpan=heads.length;cell.textContent=`${name}: ${members.length} operation${members.length===1?'':'s'}, ${us.toFixed(1)} µs`;
    }
    body.append(...members);
  }
  document.querySelector('#count').textContent=`${seen.length} of ${rows.length} operations`;
}
heads.forEach((t,i)=>t.querySelector('button').addEventListener('click',()=>{
  down=column===i?!down:number(i);column=i;
  heads.forEach((h,j)=>h.setAttribute('aria-sort',j===i?(down?'descending':'ascending'):'none'));show()}));
find.addEventListener('input',show);by.addEventListener('change',show);show();
}
addEventListener('beforeprint',()=>document.querySelectorAll('details').forEach(d=>d.open=true));
)";

}  // namespace

std::string html_page(std::string_view title, std::string_view body) {
  const std::string words = as_markup(title);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<link rel=\"icon\" href=\"data:,\"><title>{}</title>\n<style>{}</style></head>\n<body><main>\n<h1>{}</h1>\n{}"
      "</main><script>{}</script>\n</body></html>\n",
      words, kStyle, words, body, kScript);
}

std::string html_table(std::span<const HtmlColumn> columns, const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table class=\"plain\"><thead><tr>";
  for (const HtmlColumn& column : columns) {
    const std::string_view tag = column.title.empty() ? "td" : "th";
    out += fmt::format("<{}{}>{}</{}>", tag, column.number ? " class=\"n\"" : "", as_markup(column.title), tag);
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == 0) {
        out += "<tr><th scope=\"row\">" + row[i] + "</th>";
        continue;
      }
      const HtmlColumn& column = columns[std::min(i, columns.size() - 1)];
      out += fmt::format(
          "<td{}{}>{}</td>", column.number ? " class=\"n\"" : "",
          column.title.empty() || row[i].empty() ? "" : fmt::format(" data-label=\"{}\"", as_markup(column.title)),
          row[i]);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string unit_mark(plan::Unit unit) {
  return fmt::format("<span class=\"unit\" style=\"border-color:{}\">{}</span>", color(unit), name(unit));
}

std::string html_figures(std::span<const HtmlFigure> figures) {
  std::string out = "<div class=\"numbers\">\n";
  for (const HtmlFigure& figure : figures)
    out += fmt::format("<div><b>{}</b>{}</div>\n", as_markup(figure.value), as_markup(figure.label));
  return out + "</div>\n";
}

}  // namespace anemone::report
