/** "metrics.auc DESC, attributes.start_time" at its commas; one between quotes or backticks belongs to a name. */
export function orderTerms(text: string | undefined): string[] | undefined {
  const terms = text?.match(/(?:"(?:[^"]|"")*"|`[^`]*`|[^,"`]|["`])+/g)?.map((term) => term.trim());
  return terms?.filter((term) => term !== "");
}
