//! Finds the files that a list of includes means, all of them below the folder of the main file.

use std::fs;
use std::path::{Component, Path, PathBuf};

use authmesh_logic::config::Code;

/// Why an include gives no files.
pub(super) struct IncludeError {
    pub(super) code: Code,
    pub(super) sentence: String,
}

/// The files that `pattern` of a file in `folder` means, in alphabetical order. `top` is the folder
/// of the main file, with every link resolved.
pub(super) fn expanded(
    pattern: &str,
    folder: &Path,
    top: &Path,
) -> Result<Vec<PathBuf>, IncludeError> {
    let error = |code, sentence: &str| Err(IncludeError { code, sentence: sentence.to_owned() });
    let path = Path::new(pattern);
    if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return error(Code::IncludeOutside, "an include stays below the folder of the main file");
    }
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return error(Code::NotAllowed, "an include names a file");
    };
    let parent = folder.join(path.parent().unwrap_or(Path::new("")));
    if parent.as_os_str().as_encoded_bytes().contains(&b'*') {
        return error(Code::NotAllowed, "`*` stands in the last part of an include only");
    }
    let found = if name.contains('*') { matching(&parent, name) } else { vec![parent.join(name)] };
    for file in &found {
        match file.canonicalize() {
            Ok(real) if real.starts_with(top) => {}
            Ok(_) => {
                let sentence =
                    format!("`{}` lies outside the folder of the main file", file.display());
                return Err(IncludeError { code: Code::IncludeOutside, sentence });
            }
            Err(_) => {
                let sentence = format!("there is no file `{}`", file.display());
                return Err(IncludeError { code: Code::NoSuchFile, sentence });
            }
        }
    }
    Ok(found)
}

/// The files of `folder` whose name matches; none if there is no such folder.
fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(listed) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        // As in a shell, a hidden file is not meant by `*`.
        .filter(|name| !name.starts_with('.') && fits(name, pattern))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
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
