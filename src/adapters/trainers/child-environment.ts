type Variables = Readonly<Record<string, string | undefined>>;

/** What a program needs to run at all, and none of what a server's environment holds besides (tokens, passwords, keys). */
const FOR_PROGRAMS =
  /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|PYENV_\w+|(OMP|GOMP|KMP|CUDA|NVIDIA|ROCR|HIP)_\w+)$/;
/** What pip needs besides to reach its index as it does for the user. May hold an index's password, so that programs do not get it. */
const FOR_PIP =
  /^(PIP_\w+|(https?|no|all|ftp)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|XDG_\w+|NETRC|CC|CXX|CFLAGS|LDFLAGS)$/i;

export const programEnvironment = (variables: Variables): Record<string, string> => pick(variables, [FOR_PROGRAMS]);
export const pipEnvironment = (variables: Variables): Record<string, string> => pick(variables, [FOR_PROGRAMS, FOR_PIP]);

function pick(variables: Variables, patterns: readonly RegExp[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables))
    if (value !== undefined && patterns.some((pattern) => pattern.test(name))) picked[name] = value;
  return picked;
}
