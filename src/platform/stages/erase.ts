import { eraseLogs, eraseRecords } from "../erase/erase-served.ts";
import { eraseSets } from "../erase/erase-sets.ts";
import { eraseSnapshots } from "../erase/erase-snapshots.ts";
import { type EraseAnswer, type EraseQuestion, openErasing } from "../erase/erasing.ts";
import { countMentions, unnamedWithRows } from "../erase/find-mentions.ts";
import { stage } from "./stage.ts";

/**
 * Finds everything of some entities that lies in files and in the online store; unless it is only asked about, writes what is left into
 * files of their own, and takes predictions and online records away. Nothing names the new files yet: the owner's part.
 */
export default stage<EraseQuestion, EraseAnswer>(async (opened, question) => {
  const work = await openErasing(opened, question);
  try {
    const { files, rows } = await eraseSnapshots(work);
    const { sets, samples } = await eraseSets(work);
    const unnamed = await unnamedWithRows(work);
    await countMentions(work);
    await eraseLogs(work);
    await eraseRecords(work);
    return { files: [...files.values()], rows, sets, samples, unnamed, places: work.places() };
  } finally {
    await work.labels.close();
  }
});
