for (const chart of document.querySelectorAll(".chart")) {
  const figure = JSON.parse(chart.querySelector("script").textContent);
  const draw = () => {
    const style = getComputedStyle(document.body);
    const ink = style.getPropertyValue("color");
    const line = style.getPropertyValue("--line").trim();
    const layout = structuredClone(figure.layout);
    Object.assign(layout, {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.fontFamily, size: 13, color: ink }, hovermode: "closest",
    });
    Object.assign(layout.xaxis, { gridcolor: line, zerolinecolor: line });
    Plotly.react(chart, figure.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
