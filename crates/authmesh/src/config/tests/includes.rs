//! Included files add and never override, stay in the folder, and end somewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::config::{Files, Loaded, Problems, load};

fn written(files: &[(&str, &str)]) -> (TempDir, Result<Loaded, Problems>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let loaded = load(folder.path().join("mesh.toml"), Files::Trust);
    (folder, loaded)
}

fn found(problems: &Problems, folder: &Path) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            let place = problems.place(problem.span);
            let file = Path::new(place.file).strip_prefix(folder).unwrap();
            format!("{} {}:{}:{}", problem.code, file.display(), place.line, place.column)
        })
        .collect()
}

const LOGIN: &str = "[service.login]\nendpoints = ['127.0.0.1:1']\n";

#[test]
fn services_of_included_files_are_added() {
    let (folder, loaded) = written(&[
        ("mesh.toml", &format!("version = 1\ninclude = ['conf.d/*.toml']\n{LOGIN}")),
        ("conf.d/b.toml", "[service.b]\nendpoints = ['127.0.0.1:2']\n"),
        ("conf.d/a.toml", "version = 1\n[service.a]\ndiscover = { file = 'a.json' }\n"),
        ("conf.d/.hidden.toml", "nonsense"),
        ("conf.d/c.txt", "nonsense"),
    ]);
    let loaded = loaded.unwrap();
    let names: Vec<&str> = loaded.config.services.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "login"]);
    let files: Vec<_> = loaded.files.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(files, ["mesh.toml", "a.toml", "b.toml"]);
    // A relative path is taken from the folder of the main file.
    let source = format!("{:?}", loaded.config.services[0].source);
    assert!(source.contains(folder.path().join("a.json").to_str().unwrap()), "{source}");
}

#[test]
fn each_fault_of_an_include_has_its_code_and_place() {
    let main = |include: &str| format!("version = 1\ninclude = [{include}]\n{LOGIN}");
    for (include, files, wanted) in [
        ("'x.toml'", &[][..], &["AM-C090 mesh.toml:2:12"][..]),
        ("'conf.d/*.toml'", &[], &[]),
        ("'../x.toml'", &[], &["AM-C093 mesh.toml:2:12"]),
        ("'/etc/passwd'", &[], &["AM-C093 mesh.toml:2:12"]),
        ("'*/x.toml'", &[], &["AM-C005 mesh.toml:2:12"]),
        ("'*.toml'", &[], &["AM-C092 mesh.toml:2:12"]),
        ("'x.toml'", &[("x.toml", "include = ['x.toml']")], &["AM-C092 x.toml:1:12"]),
        (
            "'x.toml'",
            &[("x.toml", "include = ['y.toml']"), ("y.toml", "include = ['mesh.toml']")],
            &["AM-C092 y.toml:1:12"],
        ),
        ("'x.toml'", &[("x.toml", "[a\n")], &["AM-C091 mesh.toml:2:12", "AM-C008 x.toml:1:1"]),
        ("'x.toml'", &[("x.toml", "[limits]\n")], &["AM-C094 x.toml:1:1"]),
        ("'x.toml'", &[("x.toml", "[authorization]\n")], &["AM-C094 x.toml:1:1"]),
        ("'x.toml'", &[("x.toml", "version = 2\n")], &["AM-C010 x.toml:1:11"]),
        ("'x.toml'", &[("x.toml", LOGIN)], &["AM-C022 x.toml:1:10"]),
        ("'x.toml'", &[("x.toml", "[service.b]\n")], &["AM-C023 x.toml:1:1"]),
        ("'x.toml', 'x.*'", &[("x.toml", "[service.b]\nendpoints = ['127.0.0.1:2']")], &[]),
    ] {
        let main = main(include);
        let mut all = vec![("mesh.toml", main.as_str())];
        all.extend_from_slice(files);
        let (folder, loaded) = written(&all);
        let found = loaded.map_or_else(|it| found(&it, folder.path()), |_| Vec::new());
        assert_eq!(found, wanted, "{include} {files:?}");
    }
}

#[test]
fn a_link_that_leaves_the_folder_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.toml"), "").unwrap();
    let folder = tempfile::tempdir().unwrap();
    symlink(outside.path().join("x.toml"), folder.path().join("x.toml")).unwrap();
    let main = folder.path().join("mesh.toml");
    fs::write(&main, "version = 1\ninclude = ['x.toml']\n").unwrap();
    let problems = load(&main, Files::Trust).unwrap_err();
    assert_eq!(found(&problems, folder.path()), ["AM-C093 mesh.toml:2:12"]);
}

#[test]
fn one_file_of_a_pattern_that_cannot_be_used_hides_no_other() {
    let (folder, _) = written(&[
        ("mesh.toml", &format!("version = 1\ninclude = ['conf.d/*.toml']\n{LOGIN}")),
        ("conf.d/a.toml", "[service.a]\nendpoint = 1\n"),
        ("conf.d/c.toml/d.toml", ""),
    ]);
    symlink("/nowhere/at/all", folder.path().join("conf.d/b.toml")).unwrap();
    symlink("/etc/passwd", folder.path().join("conf.d/e.toml")).unwrap();
    let problems = load(folder.path().join("mesh.toml"), Files::Trust).unwrap_err();
    let wanted = [
        "AM-C090 mesh.toml:2:12",
        "AM-C093 mesh.toml:2:12",
        "AM-C023 conf.d/a.toml:1:1",
        "AM-C001 conf.d/a.toml:2:1",
    ];
    assert_eq!(found(&problems, folder.path()), wanted, "{problems}");
}

#[test]
fn a_folder_of_includes_that_is_not_there_is_told_and_no_fault() {
    let (folder, loaded) =
        written(&[("mesh.toml", &format!("version = 1\ninclude = ['conf.d/*.toml']\n{LOGIN}"))]);
    let loaded = loaded.unwrap();
    assert_eq!(found(&loaded.warnings, folder.path()), ["AM-C090 mesh.toml:2:12"]);
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    let loaded = load(folder.path().join("mesh.toml"), Files::Trust).unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    fs::remove_dir(folder.path().join("conf.d")).unwrap();
    fs::write(folder.path().join("conf.d"), "").unwrap();
    let problems = load(folder.path().join("mesh.toml"), Files::Trust).unwrap_err();
    assert_eq!(found(&problems, folder.path()), ["AM-C090 mesh.toml:2:12"]);
}

#[test]
fn a_file_that_everybody_may_write_is_refused_where_files_are_looked_at() {
    let (folder, loaded) = written(&[
        ("mesh.toml", &format!("version = 1\ninclude = ['x.toml']\n{LOGIN}")),
        ("x.toml", ""),
    ]);
    loaded.unwrap();
    for (name, place) in [("mesh.toml", "mesh.toml:1:1"), ("x.toml", "x.toml:1:1")] {
        let (main, file) = (folder.path().join("mesh.toml"), folder.path().join(name));
        for (mode, wanted) in [(0o664, None), (0o646, Some(format!("AM-C035 {place}")))] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let looked = load(&main, Files::Look).map(drop).map_err(|it| found(&it, folder.path()));
            assert_eq!(looked.err(), wanted.map(|wanted| vec![wanted]), "{name} {mode:o}");
            assert!(load(&main, Files::Trust).is_ok());
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_main_file_that_is_missing_broken_or_huge_is_one_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mesh.toml");
    let only = |code: &str, place: &str| {
        let problems = load(&path, Files::Trust).unwrap_err();
        let wanted = format!("{code} mesh.toml:{place}");
        assert_eq!(found(&problems, folder.path()), [wanted], "{problems}");
    };
    only("AM-C090", "1:1");
    fs::create_dir(&path).unwrap();
    only("AM-C090", "1:1");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, b"version = 1\n# \xff\n").unwrap();
    only("AM-C009", "2:3");
    fs::write(&path, "#".repeat((4 << 20) + 1)).unwrap();
    only("AM-C090", "1:1");
}
