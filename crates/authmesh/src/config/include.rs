//! Finds the files that a list of includes means, all of them below the folder of the main file.

use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use authmesh_logic::config::{Code, Problem, Span};

/// The files that `pattern` of a file in `folder` means, in alphabetical order, and what is wrong with
/// it; `span` is its place, `top` the folder of the main file, with every link resolved.
pub(super) fn expanded(
    pattern: &str,
    span: Span,
    folder: &Path,
    top: &Path,
) -> (Vec<PathBuf>, Vec<Problem>) {
    let refused = |code, sentence: &str| (Vec::new(), vec![Problem::new(code, span, sentence)]);
    let path = Path::new(pattern);
    if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return refused(Code::IncludeOutside, "an include stays below the folder of the main file");
    }
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return refused(Code::NotAllowed, "an include names a file");
    };
    let parent = folder.join(path.parent().unwrap_or(Path::new("")));
    if parent.as_os_str().as_encoded_bytes().contains(&b'*') {
        return refused(Code::NotAllowed, "`*` stands in the last part of an include only");
    }
    let found = match name.contains('*') {
        false => Ok(vec![parent.join(name)]),
        true => matching(&parent, name),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let sentence = format!("the folder of `{pattern}` cannot be read: {error}");
            let problem = Problem::new(Code::NoSuchFile, span, sentence);
            // A folder that is to come is no fault; one that is there and says nothing is.
            let is_absent = error.kind() == io::ErrorKind::NotFound;
            return (Vec::new(), vec![if is_absent { problem.as_warning() } else { problem }]);
        }
    };
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for file in found {
        let (code, sentence) = match file.canonicalize() {
            Ok(real) if real.starts_with(top) => {
                files.push(file);
                continue;
            }
            Ok(_) => (Code::IncludeOutside, "lies outside the folder of the main file"),
            Err(_) => (Code::NoSuchFile, "does not exist"),
        };
        problems.push(Problem::new(code, span, format!("`{}` {sentence}", file.display())));
    }
    (files, problems)
}

/// What is in `folder` under a name that matches, but for folders. A link that leads nowhere is among
/// it: somebody meant a file.
fn matching(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut names = Vec::new();
    for entry in fs::read_dir(listed)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        // As in a shell, a hidden file is not meant by `*`.
        if !text.starts_with('.') && fits(&text, pattern) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name)).filter(|path| !path.is_dir()).collect())
}

/// Whether `name` is `pattern` with each `*` replaced by some characters.
fn fits(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (name, pattern, wanted) in [
            ("a.toml", "*.toml", true),
            ("a.toml", "a*.toml", true),
            ("a.toml.bak", "*.toml", false),
            ("ab.c", "a*b*.c", true),
            (".toml", "*.toml", true),
            ("a", "a*a", false),
            ("axbya", "a*b*a", true),
            ("a", "a", true),
            ("ab", "a", false),
        ] {
            assert_eq!(fits(name, pattern), wanted, "{name} {pattern}");
        }
    }
}
