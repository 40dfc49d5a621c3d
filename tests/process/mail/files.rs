//! Mails as files, without a mail server.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{attempts, on_both_databases};
use crate::support::{json, wait_until};

on_both_databases! {
    fn without_a_mail_server_each_mail_is_a_file_of_its_owner(env, _url) {
        let server = env.start(&[]);
        let folder = env.path("data/mail");
        server.register("ann");
        wait_until("the attempt is logged", || attempts(&server).len() == 1);
        let line = attempts(&server).remove(0);
        assert_eq!((&line["outcome"], &line["kind"]), (&json!("sent"), &json!("verify-email")), "{line}");
        let name = line["file"].as_str().expect("the name of the file");
        let id = line["mail_id"].as_str().expect("the id of the mail");
        let (time, rest) = name.split_once('-').expect("a time and the rest");
        assert_eq!(rest, format!("verify-email-{}.eml", &id[id.len() - 8..]));
        let shape: String = time.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
        assert_eq!(shape, "00000000T000000.000Z");

        let mode = |path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!((mode(folder.clone()), mode(folder.join(name))), (0o700, 0o600));
        let text = fs::read_to_string(folder.join(name)).expect("it is text");
        assert!(text.contains("\r\nTo: ann@example.com\r\n") && text.ends_with("\r\n"), "{text}");
        // The link leads to the address that the start printed.
        let link = format!("\r\nhttp://{}/account/verify-email#token=", server.address);
        let (_, token) = text.split_once(&link).expect("a link");
        let token = token.lines().next().expect("a token");
        let log = server.stop();
        assert!(log.contains("data/mail"), "{log}");
        assert!(!log.contains(token) && !log.contains("ann@example.com"), "{log}");
    }

    fn the_newest_thousand_files_are_kept(env, _url) {
        let folder = env.path("data/mail");
        fs::create_dir_all(&folder).expect("the folder can be created");
        for number in 0..1_005 {
            let name = format!("20200101T000000.{number:03}Z-verify-email-0000{number:04}.eml");
            fs::write(folder.join(name), "").expect("the folder can be written to");
        }
        fs::write(folder.join("notes.txt"), "").expect("the folder can be written to");
        let server = env.start(&[]);
        server.register("ann");
        wait_until("the attempt is logged", || attempts(&server).len() == 1);
        let newest = attempts(&server).remove(0)["file"].as_str().expect("a name").to_owned();
        let names = fs::read_dir(&folder).expect("it exists").flatten();
        let mut names: Vec<_> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        assert_eq!(names.pop().as_deref(), Some("notes.txt"));
        assert_eq!((names.len(), names.last()), (1_000, Some(&newest)));
        assert!(names[0].contains("-00000006."), "{}", names[0]);
    }
}
