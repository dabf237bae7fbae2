// Fields for the settings of an answer, from what the server says of them.
import { labelled, make } from "/page/elements.js";
import { known, say, whenLanguageChanges } from "/page/strings.js";

/**
 * Settings that a person may change.
 *
 * @param {object} schemas By name, as JSON schemas.
 * @param {string[]} without Names of those that the page sets itself.
 * @returns {{element: HTMLElement|null, values: () => object}} `values` has those that were changed.
 */
export function settings(schemas, without = []) {
  const names = Object.keys(schemas).filter((name) => !without.includes(name));
  if (!names.length) return { element: null, values: () => ({}) };
  const fields = names.map((name) => field(name, schemas[name]));
  const element = make("details.settings", {}, make("summary", { say: "settings" }), make("div.grid", {}, ...fields.map((one) => one.element)));
  const values = () => Object.fromEntries(fields.filter((one) => one.value() !== undefined).map((one) => [one.name, one.value()]));
  return { element, values };
}

function field(name, schema) {
  const one = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  const initial = schema.default ?? null;
  const help = make("span");
  const tellHelp = () => { help.textContent = known(`help.${name}`) ? say(`help.${name}`) : schema.description ?? ""; };
  whenLanguageChanges(tellHelp);
  tellHelp();
  const label = { say: `setting.${name}` };
  if (one.enum) {
    const select = make("select", {}, ...one.enum.map((each) => make("option", { value: each, selected: each === initial }, each)));
    return { name, element: labelled(label, select, help), value: () => (select.value === initial ? undefined : select.value) };
  }
  if (one.type === "boolean") {
    const box = make("input", { type: "checkbox", checked: initial === true });
    return { name, element: labelled(label, box, help), value: () => (box.checked === initial ? undefined : box.checked) };
  }
  const number = one.type === "integer" || one.type === "number";
  const input = make("input", {
    type: number ? "number" : "text",
    step: one.type === "integer" ? 1 : "any",
    min: one.minimum ?? one.exclusiveMinimum,
    value: initial ?? "",
  });
  const value = () => {
    if (input.value === "" || input.value === String(initial)) return undefined;
    return number ? Number(input.value) : input.value;
  };
  return { name, element: labelled(label, input, help), value };
}
