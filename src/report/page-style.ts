/** The page's looks: light and dark by the reader's system, one column on a phone, no network. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1d2126;--dim:#57606a;--line:#d0d7de;--panel:#f6f8fa;--link:#0757b8;
--error:#b3261e;--warning:#7a4d00;--note:#0757b8;--ok:#116329;--hot:#fff1cc;--hotline:#9a6700;--mark:#0757b8;--onmark:#fff;--add:#dafbe1;--del:#ffebe9}
@media (prefers-color-scheme:dark){:root{--bg:#0f1317;--fg:#e2e6eb;--dim:#9aa4af;--line:#333c46;--panel:#171c22;--link:#79b8ff;
--error:#ff8b82;--warning:#e3b341;--note:#79b8ff;--ok:#6fd98a;--hot:#3a2f0b;--hotline:#e3b341;--mark:#79b8ff;--onmark:#0f1317;--add:#12321d;--del:#3d1a1a}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
h3{font-size:1.05rem;margin:0 0 .3rem}h4{font-size:1rem;margin:1.2rem 0 .4rem}
p{margin:.4rem 0}a{color:var(--link)}
code,pre,.code,svg text,.state td{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875rem}
pre{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.6rem}
:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
.dim{color:var(--dim)}
.finding{border:1px solid var(--line);border-left:5px solid var(--error);border-radius:8px;padding:.9rem;margin:1rem 0}
.finding.warning{border-left-color:var(--warning)}.finding.note{border-left-color:var(--note)}.finding.fixed{border-left-color:var(--ok)}
.sev{font-weight:700;color:var(--error)}.warning .sev{color:var(--warning)}.note .sev{color:var(--note)}.fixed .sev{color:var(--ok)}
.message{font-weight:600;font-size:1.05rem}
.code{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;overflow-x:auto;background:var(--panel)}
.code .name{padding:.3rem .6rem;border-bottom:1px solid var(--line);color:var(--dim)}
.code ol{list-style:none;margin:0;padding:.3rem 0;min-width:max-content}
.code li{display:grid;grid-template-columns:4rem 1fr;padding:0 .6rem 0 0;white-space:pre;border-left:3px solid transparent}
.code li .n{color:var(--dim);text-align:right;padding-right:.8rem}
.code li.primary{border-left-color:var(--error);font-weight:700}.code li.old{background:var(--del)}
.code li.current,.code li:target{background:var(--hot);border-left-color:var(--hotline)}
.code .label{grid-column:2;color:var(--dim);font-weight:400;font-style:italic}
.code .gap{color:var(--dim);padding-left:3.2rem}
.player{border:1px solid var(--line);border-radius:8px;padding:.6rem;background:var(--panel)}
.lanes{overflow-x:auto}
.lanes svg{display:block}
.lane{stroke:var(--line);stroke-width:2}.order{fill:none;stroke:var(--dim);stroke-width:1.5;stroke-dasharray:3 3}
svg text{fill:var(--fg);font-size:13px}.mark text{text-anchor:middle;fill:var(--onmark);font-weight:700}
.mark circle,.mark rect{fill:var(--mark);stroke:var(--mark);stroke-width:2}.mark.hardware circle{fill:var(--panel);stroke-dasharray:3 2}
.mark.hardware text{fill:var(--fg)}.mark.wrong rect{fill:var(--error);stroke:var(--error)}
.mark.current circle,.mark.current rect{stroke:var(--fg);stroke-width:4;stroke-dasharray:none}.live .mark.later{opacity:.7}
.missing line{stroke:var(--error);stroke-width:2;stroke-dasharray:5 4}.missing text{fill:var(--error);text-anchor:middle;font-weight:700}
.controls{display:none;gap:.5rem;align-items:center;flex-wrap:wrap;margin:.5rem 0}.live .controls{display:flex}
button{font:inherit;padding:.45rem .9rem;min-height:2.75rem;border:1px solid var(--line);border-radius:6px;background:var(--bg);color:var(--fg);cursor:pointer}
button[aria-disabled=true]{color:var(--dim);cursor:default}
.position{font-weight:700;min-width:8.5rem}.now{margin:.2rem 0 .4rem;font-weight:600}.run:not(.live) .now{display:none}
.keys{font-size:.85rem}
.columns{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:1rem;align-items:start}
@media (max-width:48rem){.columns{grid-template-columns:minmax(0,1fr)}body{padding:.6rem}.finding{padding:.6rem}.state{order:-1}.keys{display:none}}
.steps{padding-left:0;margin:.5rem 0;list-style:none}
.steps>li{padding:.25rem .5rem;border-left:3px solid var(--line)}.live .steps>li{cursor:pointer}
.steps>li[aria-current]{background:var(--hot);border-left-color:var(--hotline)}
.steps>li.wrong{border-left-color:var(--error)}.steps .who{color:var(--dim)}.steps ul{margin:0;padding-left:1.2rem;font-size:.9rem;color:var(--dim);list-style:"~ "}
.steps .lack{color:var(--error);font-weight:700}
.state{width:100%;border-collapse:collapse;background:var(--panel);border:1px solid var(--line);margin:.5rem 0}
.state caption{text-align:left;font-weight:700;padding:.3rem 0}
.state th,.state td{text-align:left;padding:.2rem .5rem;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400;font-size:.9rem}
.state tbody th[colspan]{font-weight:700;background:var(--bg)}.state td{width:60%}
.steps>li.branch{color:var(--dim)}
@media (min-width:48.01rem){.state{position:sticky;top:.5rem}}
.state tr.changed{background:var(--hot)}.state tr.changed td{font-weight:700}
.run:not(.live) .state{display:none}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem .9rem;margin:.8rem 0}dt{color:var(--dim)}dd{margin:0}dd ul{margin:0;padding-left:1.1rem}
.diff .add{background:var(--add)}.diff .del{background:var(--del)}.diff span{display:block}
details{margin:.6rem 0}summary{cursor:pointer;color:var(--link)}
@media (max-width:30rem){dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.3rem}}
@media print{.controls,.skip{display:none!important}.finding{break-inside:avoid}}
`;
