//! Loads a configuration: the main file, what it includes, and, if asked, a look at the files on
//! this machine.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use authmesh_logic::config::{
    self, Acceptance, Code, MeshConfig, Outside, Problem, Settings, Severity, Span, Tree, Value,
};
use zeroize::Zeroizing;

use super::anchor::{anchor, anchor_settings};
use super::problems::Problems;
use super::source::Source;
use super::{document, files, include, origins, policy_tests};

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// The most files that are read.
const MOST_FILES: usize = 256;

/// Whether to look at the files a configuration speaks of: certificates, keys, secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Look whether they are there, can be used, and are closed to others.
    Look,
    /// Only read what the text says.
    Trust,
}

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: MeshConfig,
    /// What is probably not meant.
    pub warnings: Problems,
    /// The files it was read from, the main file first.
    pub files: Vec<PathBuf>,
    /// Every key that is written, with its place.
    pub settings: Settings,
    /// The weaker settings that somebody answers for.
    pub accepted: Vec<Acceptance>,
}

/// Loads the configuration in the file `path` and what it includes. Paths in it that are relative
/// are taken from the folder of `path`.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(path: impl AsRef<Path>, files: Files) -> Result<Loaded, Problems> {
    loaded(path.as_ref(), files, Tests::Run)
}

/// Loads a configuration as [`load`] does, looks at no files and does not run its policy tests: for
/// who runs them to tell each result.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load_untried(path: impl AsRef<Path>) -> Result<Loaded, Problems> {
    loaded(path.as_ref(), Files::Trust, Tests::Leave)
}

/// Reads a configuration from a text; `name` stands for its file in problems. It cannot include
/// files, and those it speaks of are not looked at.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn parse(text: &str, name: &str) -> Result<Loaded, Problems> {
    parse_in(text, name, Path::new(""), Files::Trust)
}

/// As [`parse`], with relative paths taken from `folder`, and a look at the files it speaks of if
/// asked.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn parse_in(text: &str, name: &str, folder: &Path, files: Files) -> Result<Loaded, Problems> {
    let mut loader = Loader::default();
    for (_, span) in loader.add_text(name.to_owned(), text) {
        let sentence = "a text that is not a file cannot include files";
        loader.problems.push(Problem::new(Code::IncludeOutside, span, sentence));
    }
    loader.finish(folder, files, Tests::Run)
}

/// Whether a policy test that fails is a problem.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tests {
    Run,
    Leave,
}

fn loaded(path: &Path, files: Files, tests: Tests) -> Result<Loaded, Problems> {
    let mut loader = Loader::default();
    loader.load_main(path);
    let folder = path.parent().unwrap_or(Path::new(""));
    // Where the folder we are in is not known, paths stay as they are written.
    let folder = std::path::absolute(folder.join("x"));
    let folder = folder.ok().and_then(|file| file.parent().map(Path::to_path_buf));
    loader.finish(&folder.unwrap_or_default(), files, tests)
}

#[derive(Default)]
struct Loader {
    sources: Vec<Source>,
    trees: Vec<Tree>,
    problems: Vec<Problem>,
    paths: Vec<PathBuf>,
    /// The files read, and those being read, with every link resolved.
    real: Vec<PathBuf>,
    open: Vec<PathBuf>,
    top: PathBuf,
}

impl Loader {
    fn load_main(&mut self, path: &Path) {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.top = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        if let Err(problem) = self.load_file(path) {
            self.problems.push(problem);
        }
    }

    /// Reads a file and what it includes. An error is why it cannot be read; without a place.
    fn load_file(&mut self, path: &Path) -> Result<(), Problem> {
        let file = u16::try_from(self.sources.len()).unwrap_or(u16::MAX);
        let here = Span { file, ..Span::default() };
        self.paths.push(path.to_owned());
        let name = path.display().to_string();
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(sentence) => {
                self.add_unread(name);
                return Err(Problem::new(Code::NoSuchFile, here, sentence));
            }
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) => {
                let lawful = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let at = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
                self.sources.push(Source::new(name, &lawful, &[]));
                self.trees.push(Tree { file, root: config::Table::new(), damage: vec![here] });
                let place = Span { file, start: at, end: at };
                return Err(Problem::new(
                    Code::NotUtf8,
                    place,
                    "the file is not UTF-8 from here on",
                ));
            }
        };
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.real.push(real.clone());
        let includes = self.add_text(name, text);
        self.open.push(real);
        for (pattern, span) in includes {
            self.include(&pattern, span, path.parent().unwrap_or(Path::new("")));
        }
        self.open.pop();
        Ok(())
    }

    fn include(&mut self, pattern: &str, span: Span, folder: &Path) {
        let (found, problems) = include::expanded(pattern, span, folder, &self.top);
        self.problems.extend(problems);
        for path in found {
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            if self.open.contains(&real) {
                let sentence = format!("`{}` includes itself", path.display());
                self.problems.push(Problem::new(Code::IncludeCycle, span, sentence));
            } else if self.sources.len() >= MOST_FILES {
                let sentence = format!("more than {MOST_FILES} files are included");
                self.problems.push(Problem::new(Code::NotAllowed, span, sentence));
                return;
            } else if !self.real.contains(&real) {
                self.include_file(&path, span);
            }
        }
    }

    fn include_file(&mut self, path: &Path, span: Span) {
        let before = self.problems.len();
        let first = self.sources.len();
        if let Err(problem) = self.load_file(path) {
            self.problems.push(problem);
        }
        let is_bad = self.problems[before..].iter().any(|problem| {
            usize::from(problem.span.file) == first
                && matches!(problem.code, Code::Syntax | Code::NotUtf8 | Code::NoSuchFile)
        });
        if is_bad {
            let sentence = format!("the included file `{}` cannot be used", path.display());
            self.problems.push(Problem::new(Code::BadInclude, span, sentence));
        }
    }

    fn add_unread(&mut self, name: String) {
        let file = u16::try_from(self.sources.len()).unwrap_or(u16::MAX);
        let nowhere = Span { file, ..Span::default() };
        self.sources.push(Source::unread(name));
        self.trees.push(Tree { file, root: config::Table::new(), damage: vec![nowhere] });
    }

    /// Parses a text; what it gives is the includes it names.
    fn add_text(&mut self, name: String, text: &str) -> Vec<(String, Span)> {
        let file = u16::try_from(self.sources.len()).unwrap_or(u16::MAX);
        // A byte order mark is no part of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.len() as u64 > LARGEST_FILE {
            self.add_unread(name);
            let place = Span { file, ..Span::default() };
            self.problems.push(Problem::new(Code::NoSuchFile, place, TOO_LARGE));
            return Vec::new();
        }
        let (tree, problems) = document::parsed(file, text);
        self.sources.push(Source::new(name, text, &[]));
        self.problems.extend(problems);
        let includes = includes(&tree);
        self.trees.push(tree);
        includes
    }

    fn finish(mut self, folder: &Path, files: Files, tests: Tests) -> Result<Loaded, Problems> {
        let config::Reading { config, problems, mut outside, mut settings, accepted } =
            config::read(self.trees);
        anchor_settings(&mut settings, folder);
        for problem in &problems {
            if problem.code == Code::InlineSecret
                && let Some(source) = self.sources.get_mut(usize::from(problem.span.file))
            {
                source.cover(&[bytes(problem.span)]);
            }
        }
        self.problems.extend(problems);
        let config = config.map(|mut config| {
            anchor(&mut config, &mut outside, folder);
            origins::name_origins(&mut config, &outside, &self.sources);
            if tests == Tests::Run {
                self.problems.extend(policy_tests::problems(&config, &outside));
            }
            self.problems.extend(looked_at(&config, &outside, files));
            config
        });
        if files == Files::Look {
            self.problems.extend(files::writable(&self.paths));
        }
        self.problems.sort_by_key(|problem| (problem.span.file, problem.span.start));
        let broken = self.problems.iter().any(|problem| problem.severity == Severity::Error);
        let problems = Problems::new(self.problems, self.sources);
        match config {
            Some(config) if !broken => {
                let (warnings, files) = (problems, self.paths);
                Ok(Loaded { config, warnings, files, settings, accepted })
            }
            _ => Err(problems),
        }
    }
}

fn looked_at(config: &MeshConfig, outside: &Outside, files: Files) -> Vec<Problem> {
    match files {
        Files::Look => files::problems(config, outside),
        Files::Trust => Vec::new(),
    }
}

const TOO_LARGE: &str = "the file is larger than 4 MiB";

/// The bytes of a file, wiped when dropped: a secret may stand in it by mistake.
fn read_bounded(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let unreadable =
        |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
    let facts = path.metadata().map_err(unreadable)?;
    if !facts.is_file() {
        return Err(format!("`{}` is not a file", path.display()));
    }
    let capacity = usize::try_from(facts.len().min(LARGEST_FILE) + 1).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE { Err(TOO_LARGE.to_owned()) } else { Ok(bytes) }
}

fn includes(tree: &Tree) -> Vec<(String, Span)> {
    let Some(Value::Array(nodes)) = tree.root.get("include").map(|entry| &entry.node.value) else {
        return Vec::new();
    };
    let text = |node: &config::Node| match &node.value {
        Value::String(text) => Some((text.clone(), node.span)),
        _ => None,
    };
    nodes.iter().filter_map(text).collect()
}

fn bytes(span: Span) -> Range<usize> {
    let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    at(span.start)..at(span.end)
}
