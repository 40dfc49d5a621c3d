// Bundles the playground into the folder that the program embeds, or into the folder given as an argument.
// The output is reproducible from sources and lock file, except that .gz files depend on the version of zlib.
import { build } from "esbuild";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "../src/http/playground");

const { outputFiles, metafile } = await build({
  absWorkingDir: here,
  entryPoints: { playground: "src/main.jsx" },
  outdir: "out",
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  legalComments: "none",
  // Resolves each package once, to its module build for bundlers.
  mainFields: ["module", "main"],
  define: { "process.env.NODE_ENV": '"production"' },
  alias: { "react-style-singleton": join(here, "src/no-style.js") },
});

/** Removes the fonts embedded in GraphiQL's style; system fonts replace them without a download. */
const withoutFonts = (css) => css.replace(/@font-face\s*\{[^}]*\}/g, "");

/** Packages without a licence text, each with a package of the same authors that contains the text. */
const KIN = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
  "toggle-selection": "copy-to-clipboard",
};

/** Name, version, licence and licence text of every bundled package. */
function licences() {
  const packages = Object.keys(metafile.inputs).map((input) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  const folders = [...new Set(packages)].filter(Boolean);
  const packagesOf = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"));
    const source = join(here, name in KIN ? `node_modules/${KIN[name]}` : folder);
    const file = readdirSync(source).find((entry) => /^licen[cs]e(\.|-|$)/i.test(entry));
    if (!file) throw new Error(`${name} has no text of its licence: see KIN`);
    const text = readFileSync(join(source, file), "utf8").replace(/\r/g, "").trim();
    packagesOf.set(text, [...(packagesOf.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const sections = [...packagesOf].map(([text, names]) => `${names.sort().join("\n")}\n\n${text}\n`).sort();
  return ["The playground contains these packages, under these licences.\n", ...sections].join(`\n${"-".repeat(80)}\n\n`);
}

const output = (ending) => outputFiles.find((file) => file.path.endsWith(ending)).text;
mkdirSync(target, { recursive: true });
const write = (name, content) => writeFileSync(join(target, name), content);
const packed = (text) => gzipSync(text, { level: 9 });
write("index.html", readFileSync(join(here, "src/index.html")));
write("playground.js.gz", packed(output(".js")));
write("playground.css.gz", packed(withoutFonts(output(".css"))));
write("licences.txt", licences());
for (const name of readdirSync(target)) console.log(name, readFileSync(join(target, name)).length);
console.log("unpacked:", output(".js").length, withoutFonts(output(".css")).length);
