import { registryErrors } from "./errors.ts";

const NAME_LENGTH = 256;
const ALIAS_LENGTH = 255;
const TAG_KEY_LENGTH = 250;
const TAG_VALUE_LENGTH = 100_000;
const TEXT_LENGTH = 100_000;

/** In characters, as tracking clients count, not in UTF-16 units. */
const isLonger = (text: string, length: number) => text.length > length && [...text].length > length;
const shown = (text: string) => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** Neither database keeps the character 0, nor half a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed();

/**
 * Of a registered model: whatever a tracking client may call one, so neither "/" nor ":", and nothing that a file system would take
 * for another place.
 * @throws REGISTRY_NAME_INVALID
 */
export function checkModelName(name: string): void {
  const problem =
    name.trim() === ""
      ? "is empty"
      : /[/:]/.test(name)
        ? 'contains "/" or ":"'
        : name === "." || name.startsWith("..")
          ? "reads as another folder"
          : /\p{Cc}/u.test(name) || !isStorable(name)
            ? "contains a control character"
            : isLonger(name, NAME_LENGTH)
              ? `is longer than ${NAME_LENGTH} characters`
              : null;
  if (problem !== null)
    throw registryErrors.REGISTRY_NAME_INVALID(`${shown(name)} cannot name a registered model: it ${problem}`, {
      details: { field: "name" },
    });
}

/** "latest" and "v3" mean versions already. @throws REGISTRY_ALIAS_INVALID */
export function checkAlias(alias: string): void {
  const problem =
    alias === ""
      ? "is empty"
      : !/^[\p{L}\p{N}_-]+$/u.test(alias)
        ? "has other characters than letters, digits, underscores and hyphens"
        : isLonger(alias, ALIAS_LENGTH)
          ? `is longer than ${ALIAS_LENGTH} characters`
          : /^(latest|v\d+)$/i.test(alias)
            ? "is reserved"
            : null;
  if (problem !== null)
    throw registryErrors.REGISTRY_ALIAS_INVALID(`${shown(alias)} cannot be an alias: it ${problem}`, {
      details: { field: "alias", reserved: problem === "is reserved" },
    });
}

/** @throws REGISTRY_TAG_INVALID */
export function checkTagKey(key: string): void {
  const problem =
    key === ""
      ? "is empty"
      : !/^[/\p{L}\p{N}_.\- :]+$/u.test(key)
        ? "has other characters than letters, digits, underscores, hyphens, dots, spaces, colons and slashes"
        : key.startsWith("..") || key.split("/").some((part) => part === "" || part === "." || part === "..")
          ? "reads as another path"
          : isLonger(key, TAG_KEY_LENGTH)
            ? `is longer than ${TAG_KEY_LENGTH} characters`
            : null;
  if (problem !== null)
    throw registryErrors.REGISTRY_TAG_INVALID(`${shown(key)} cannot be a tag's key: it ${problem}`, {
      details: { field: "key" },
    });
}

/** @throws REGISTRY_TAG_INVALID */
export function checkTag(key: string, value: string): void {
  checkTagKey(key);
  if (isLonger(value, TAG_VALUE_LENGTH))
    throw registryErrors.REGISTRY_TAG_INVALID(
      `The value of the tag ${shown(key)} is longer than ${TAG_VALUE_LENGTH} characters`,
      {
        details: { field: "value", maxLength: TAG_VALUE_LENGTH },
      },
    );
  if (!isStorable(value))
    throw registryErrors.REGISTRY_TAG_INVALID(`The value of the tag ${shown(key)} is not text that can be kept`, {
      details: { field: "value" },
    });
}

/** A description, a reason, a link. @throws REGISTRY_TEXT_INVALID */
export function checkText(text: string, field: string): void {
  if (isLonger(text, TEXT_LENGTH) || !isStorable(text))
    throw registryErrors.REGISTRY_TEXT_INVALID(
      isStorable(text) ? `The ${field} is longer than ${TEXT_LENGTH} characters` : `The ${field} is not text that can be kept`,
      { details: { field } },
    );
}
