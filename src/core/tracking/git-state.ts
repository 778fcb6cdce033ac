import { execFile } from "node:child_process";

/** The code a run was started from. All null and false where there is no git or no repository. */
export interface GitState {
  readonly commit: string | null;
  /** Something differs from the commit, files that git does not know among it. */
  readonly dirty: boolean;
  /** `git diff HEAD`, then a comment line for each file git does not know; null when nothing differs. */
  readonly diff: string | null;
  /** The diff was longer than 1 MB and was cut. */
  readonly truncated: boolean;
}

const MAX_DIFF_BYTES = 1_000_000;
const NONE: GitState = { commit: null, dirty: false, diff: null, truncated: false };

export async function gitState(directory: string): Promise<GitState> {
  const commit = await git(directory, ["rev-parse", "--verify", "HEAD"]);
  const status = await git(directory, ["status", "--porcelain", "--untracked-files=all", "-z"]);
  if (status === null) return NONE;
  const dirty = status.text.length > 0;
  if (!dirty) return { ...NONE, commit: commit?.text.trim() ?? null };
  // Without a first commit there is nothing to compare with.
  const diff = commit === null ? null : await git(directory, ["diff", "--no-ext-diff", "--no-color", "--binary", "HEAD"]);
  const untracked = status.text
    .split("\0")
    .filter((entry) => entry.startsWith("?? "))
    .map((entry) => `# not in this diff: ${entry.slice(3)}\n`)
    .join("");
  const whole = Buffer.from((diff?.text ?? "") + untracked);
  const truncated = whole.length > MAX_DIFF_BYTES || status.truncated || (diff?.truncated ?? false);
  const kept = whole.subarray(0, MAX_DIFF_BYTES).toString("utf8");
  return {
    commit: commit?.text.trim() ?? null,
    dirty,
    diff: truncated ? `${kept}\n# cut: the diff is longer than ${MAX_DIFF_BYTES} bytes\n` : kept,
    truncated,
  };
}

/** git's output, cut at twice what is kept; null when git cannot answer. */
function git(directory: string, args: readonly string[]): Promise<{ text: string; truncated: boolean } | null> {
  return new Promise((resolve) => {
    execFile(
      "git",
      // Optional locks would disturb a person's own git in the same folder.
      ["--no-optional-locks", "-C", directory, ...args],
      { maxBuffer: 2 * MAX_DIFF_BYTES, timeout: 10_000, encoding: "utf8" },
      (error, stdout) => {
        if (error === null) resolve({ text: stdout, truncated: false });
        else if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") resolve({ text: stdout, truncated: true });
        else resolve(null);
      },
    );
  });
}
