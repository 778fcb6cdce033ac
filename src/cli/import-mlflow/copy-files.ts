import { isRefused, putFile, reasonOf } from "./import-target.ts";
import type { Importing } from "./importing.ts";

/** Whether all that can be had is there now: what fails in passing is worth another try. */
export async function copyFiles(
  { source, target, summary, report }: Importing,
  uri: string,
  to: string,
  what: string,
): Promise<boolean> {
  if (uri === "") return true;
  const files = source.files(uri);
  if (files === null) {
    report(
      `files of ${what}`,
      `they lie at ${uri.slice(0, 200)}, which the source does not serve; --artifacts-root says where a copy is`,
    );
    return true;
  }
  let whole = true;
  for await (const file of files) {
    try {
      summary.bytes += await putFile(target, `${to}/${file.path}`, await file.open());
      summary.files += 1;
    } catch (error) {
      report(`file ${file.path} of ${what}`, reasonOf(error));
      whole &&= isRefused(error);
    }
  }
  return whole;
}
