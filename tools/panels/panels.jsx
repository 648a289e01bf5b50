// Draws panels of a dashboard by Grafana's own components: the JSON of each panel, and what Prometheus answered.
// It does what Grafana does between the two: series become frames, and frames get the panel's field configuration.

import {
  FieldType,
  ThemeContext,
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  dateTime,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  identityOverrideProcessor,
  renderTextPanelMarkdown,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

// A unit of the grid is 30 pixels high, and 8 lie between two panels.
const [UNIT, GAP, COLUMNS] = [30, 8, 24];
const STANDARD = "unit min max decimals displayName noValue thresholds mappings links color".split(" ");
const CUSTOM = (
  "drawStyle fillOpacity showPoints spanNulls lineWidth stacking scaleDistribution thresholdsStyle transform " +
  "align cellOptions filterable minWidth width"
).split(" ");

const scene = window.SCENE;
const theme = createTheme({ colors: { mode: "light" } });
const moment = (seconds) => dateTime(seconds * 1000);
const timeRange = { from: moment(scene.from), to: moment(scene.to), raw: { from: moment(scene.from), to: moment(scene.to) } };
const shared = { replaceVariables: (text) => text, theme, timeZone: "utc" };

// Grafana's server fills these registries when it starts.
const property = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path,
  path,
  name: path,
  isCustom,
  process: identityOverrideProcessor,
  shouldApply: () => true,
});
standardFieldConfigEditorRegistry.setInit(() => [
  ...STANDARD.map((path) => property(path, false)),
  ...CUSTOM.map((path) => property(path, true)),
]);
const { mergeTransformer, organizeFieldsTransformer, sortByTransformer } = standardTransformers;
standardTransformersRegistry.setInit(() =>
  [mergeTransformer, organizeFieldsTransformer, sortByTransformer].map((each) => ({
    id: each.id,
    name: each.name,
    transformation: () => Promise.resolve(each),
  })),
);

function legend(format, labels) {
  return format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? "");
}

function seriesOf(panel) {
  return panel.targets.flatMap(({ refId, legendFormat }, index) => {
    const { step, answer } = panel.answers[index];
    return answer.map(({ metric, values, value }) => {
      const points = values ?? [value];
      const config = { displayNameFromDS: legend(legendFormat, metric) };
      return toDataFrame({
        refId,
        fields: [
          { name: "Time", type: FieldType.time, values: points.map(([at]) => at * 1000), config: { interval: step * 1000 } },
          { name: "Value", type: FieldType.number, values: points.map(([, text]) => Number(text)), labels: metric, config },
        ],
      });
    });
  });
}

function tablesOf(panel) {
  return panel.targets.map(({ refId }, index) => {
    const { answer } = panel.answers[index];
    const labels = [...new Set(answer.flatMap(({ metric }) => Object.keys(metric)))].sort();
    return toDataFrame({
      refId,
      fields: [
        { name: "Time", type: FieldType.time, values: answer.map(({ value }) => value[0] * 1000) },
        ...labels.map((name) => ({ name, type: FieldType.string, values: answer.map(({ metric }) => metric[name]) })),
        { name: `Value #${refId}`, type: FieldType.number, values: answer.map(({ value }) => Number(value[1])) },
      ],
    });
  });
}

async function framesOf(panel) {
  const frames = panel.type === "table" ? tablesOf(panel) : seriesOf(panel);
  const transformed = await new Promise((resolve) =>
    transformDataFrame(panel.transformations ?? [], frames).subscribe({ next: resolve }),
  );
  const judged = applyFieldOverrides({ ...shared, data: transformed, fieldConfig: panel.fieldConfig });
  cacheFieldDisplayNames(judged);
  return judged;
}

function Stat({ panel, frames, width, height }) {
  const { reduceOptions, ...look } = panel.options;
  const values = getFieldDisplayValues({ ...shared, data: frames, fieldConfig: panel.fieldConfig, reduceOptions });
  const factors = getDisplayValueAlignmentFactors(values);
  return <BigValue {...look} value={values[0].display} alignmentFactors={factors} {...{ width, height, theme }} />;
}

function Lines({ panel, frames, width, height }) {
  return <TimeSeries {...{ frames, width, height, timeRange }} timeZone="utc" legend={panel.options.legend} />;
}

function Rows({ panel, frames, width, height }) {
  const { cellHeight } = panel.options;
  return <TableNG data={frames[0]} {...{ width, height, cellHeight }} fieldConfig={panel.fieldConfig} />;
}

function Words({ panel }) {
  const html = renderTextPanelMarkdown(panel.options.content);
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />;
}

const KINDS = { stat: Stat, timeseries: Lines, table: Rows, text: Words };

function Placed({ panel, frames }) {
  const { x, y, w, h } = panel.gridPos;
  const column = (scene.width - GAP) / COLUMNS;
  const [width, height] = [w * column - GAP, h * (UNIT + GAP) - GAP];
  const style = { position: "absolute", left: GAP + x * column, top: GAP + y * (UNIT + GAP), width, height };
  if (panel.type === "row") return <h4 style={style}>{panel.title}</h4>;
  const Kind = KINDS[panel.type];
  const look = panel.transparent ? { displayMode: "transparent", hoverHeader: true } : {};
  return (
    <div style={style}>
      <PanelChrome title={panel.title} description={panel.description} {...look} {...{ width, height }}>
        {(inner, innerHeight) => <Kind {...{ panel, frames }} width={inner} height={innerHeight} />}
      </PanelChrome>
    </div>
  );
}

function whenSteady(root, done) {
  let before = "";
  const timer = setInterval(() => {
    if (root.innerHTML === before && document.fonts.status === "loaded") {
      clearInterval(timer);
      done();
    }
    before = root.innerHTML;
  }, 500);
}

function Panels({ all }) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {all.map(([panel, frames]) => (
        <Placed key={panel.id} {...{ panel, frames }} />
      ))}
    </ThemeContext.Provider>
  );
}

async function draw() {
  const all = await Promise.all(scene.panels.map(async (panel) => [panel, panel.targets ? await framesOf(panel) : []]));
  const element = document.getElementById("root");
  const root = createRoot(element);
  document.body.style.background = theme.colors.background.canvas;
  // An axis is drawn once, in the font that is there by then.
  flushSync(() => root.render(<Panels all={[]} />));
  await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 12px Inter`)));
  root.render(<Panels all={all} />);
  whenSteady(element, () => (window.DRAWN = true));
}

draw();
