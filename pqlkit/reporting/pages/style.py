"""The style sheet of a page: readable in light and dark, on a phone and on paper; no file or font is loaded."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--tint:#f3f5f8}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e6e9ed;--soft:#a3abb5;--line:#363c44;--tint:#1e2329}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1rem 4rem;max-width:68rem;background:var(--paper);color:var(--ink);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.15rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.6rem 0 .3rem}
p{margin:.4rem 0;max-width:46rem}
.under,figcaption,caption,.span,footer,.none{color:var(--soft)}
.span{white-space:nowrap;font-size:.9em}
.name{overflow-wrap:break-word}
.warning{border-left:3px solid #c9821c;padding-left:.7rem}
.answer{font-size:1.2rem;line-height:1.4;font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.8rem 0;max-width:46rem}
dt{color:var(--soft)}dd{margin:0;min-width:0}
.tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0;padding:0}
.tile{flex:1 1 11rem;background:var(--tint);border-radius:.5rem;padding:.7rem .9rem}
.tile b{display:block;font-size:1.5rem;line-height:1.25;font-weight:600}
.tile span{font-size:.88rem;color:var(--soft)}
.tile .span{white-space:normal}
figure{margin:1rem 0 1.6rem}
figcaption{font-size:.9rem;max-width:46rem}
.drawing,.wide{overflow-x:auto;color:var(--ink)}
.drawing svg{display:block;max-width:100%;height:auto}.drawing .slim{display:none}
.drawing .role-axis-label text,.drawing .role-axis-title text,.drawing .role-legend-label text,
.drawing .role-legend-title text,.drawing .role-title text,.drawing .plain text{fill:var(--ink)}
.drawing .role-axis-grid line{stroke:var(--line)}
.drawing .role-axis-domain line,.drawing .role-axis-tick line{stroke:var(--soft)}
.drawing .background{stroke:none}
details{margin:.3rem 0}
summary{cursor:pointer;font-size:.9rem}
table{border-collapse:collapse;min-width:min(100%,38rem);font-size:.88rem;margin:.5rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;font-size:.85rem;padding-bottom:.2rem}
th,td{padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
thead th{font-weight:600;vertical-align:bottom}
th.figure,td.figure{text-align:right}td.figure{white-space:nowrap}
td b{font-weight:600}
td.figure .span{display:block}
th .name,td.text .name{display:inline-block;min-width:9rem;max-width:22rem}td.text .name{min-width:6rem}
@media (min-width:40rem){td.text .long{min-width:18rem}}
.explorer{background:var(--tint);border-radius:.5rem;padding:.6rem 1rem 1rem;margin:1rem 0}
.explorer label{display:inline-block;margin-right:1rem}.explorer select,.explorer input{font:inherit;max-width:100%;vertical-align:middle}
.explorer input{width:14rem}.explorer output{display:inline-block;min-width:3rem;margin-right:1rem;font-weight:600}
.explorer caption{font-weight:600;color:var(--ink)}.explorer>p:last-child{overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:.85rem}
footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--line);font-size:.9rem}
@media (max-width:40rem){body{padding-top:1rem}h1{font-size:1.4rem}.drawing .roomy{display:none}.drawing .slim{display:block}
 table{font-size:.8rem}th,td{padding-right:.4rem}td.figure,.span{white-space:normal}th .name{min-width:4rem}td.text .name{min-width:0}td.figure b{display:block}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f3f5f8}body{max-width:none;padding:0;font-size:10pt}
 summary{display:none}details::details-content{content-visibility:visible;display:block;height:auto}
 h2{margin-top:1.4rem}.drawing .roomy{display:block}.drawing .slim{display:none}.drawing,caption,tr,.tile,
 table:not(:has(tbody tr:nth-child(10))){break-inside:avoid}
 figure>.drawing,h2,h3,caption,thead{break-after:avoid}.wide{overflow:visible}}
"""
