// Tables as texts: fields between commas, semicolons or tabs, in quotation marks where need be.

/** Rows of fields. */
export function rowsOf(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n").filter((line) => line.trim());
  const mark = ["\t", ";", ","].find((one) => lines[0]?.includes(one)) ?? ",";
  return lines.map((line) => fields(line, mark));
}

function fields(line, mark) {
  const found = [""];
  let quoted = false;
  for (let place = 0; place < line.length; place += 1) {
    const letter = line[place];
    if (letter === '"' && quoted && line[place + 1] === '"') {
      found[found.length - 1] += '"';
      place += 1;
    } else if (letter === '"') quoted = !quoted;
    else if (letter === mark && !quoted) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((field) => field.trim());
}

/** A field as a number, where it is one; nothing where it is empty. */
export function numberOf(field) {
  if (field === "") return null;
  const number = Number(field);
  return Number.isNaN(number) ? field : number;
}
