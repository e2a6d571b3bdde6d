//! Who is let in, and what it says when it is not.

use crate::shop::{Now, Shop, USERS, Users};
use config::Tls;
use engine::ports::{Databases as _, PortError};
use maintainer_postgres::Databases;
use std::process::Command;

#[tokio::test]
async fn a_wrong_password_is_one_sentence_without_the_password() {
    let shop = Shop::open("password").await;
    let refused =
        Databases::new(&shop.databases, &Users { wrong: true }, &Now).sample("orders", true).await.unwrap_err();
    assert!(matches!(refused, PortError::Denied { .. }), "{refused:?}");
    assert!(refused.to_string().contains("correct the secret"), "{refused}");
    assert!(!format!("{refused:?}").contains("not the password"), "a secret is shown: {refused:?}");
}

#[tokio::test]
async fn a_server_that_is_gone_may_come_back() {
    let mut shop = Shop::open("gone").await;
    shop.databases.get_mut("orders").unwrap().port = 1;
    let refused = Databases::new(&shop.databases, &USERS, &Now).sample("orders", true).await.unwrap_err();
    assert!(matches!(refused, PortError::Unknown { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_and_taken_once_its_authority_is_named() {
    let directory = std::env::temp_dir().join(format!("maintainer-certificate-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    // An authority of our own, and a certificate of it for the server.
    let openssl = |arguments: &str| {
        let done =
            Command::new("openssl").args(arguments.split(' ')).current_dir(&directory).output().expect("openssl runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("{new} -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
    std::fs::write(directory.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(&format!("{new} -subj /CN=localhost -keyout key.pem -out request.pem"));
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out certificate.pem",
    );
    let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
    let mut shop = Shop::open("certificate").await;
    // The server reads them as its own user.
    let here = shop.server.directory().join("data");
    for (from, name) in [(&key, "server.key"), (&certificate, "server.crt")] {
        std::fs::copy(from, here.join(name)).unwrap();
        shop.server.own(&here.join(name));
    }
    shop.owner.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    shop.owner.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let pem = std::fs::read_to_string(directory.join("ca.pem")).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let database = shop.databases.get_mut("orders").unwrap();
    (database.tls, database.host) = (Tls::Verify, "localhost".to_owned());
    let refused = loop {
        match Databases::new(&shop.databases, &USERS, &Now).sample("orders", false).await.unwrap_err() {
            // The server has not read its settings again yet.
            error if error.to_string().contains("does not support TLS") => tokio::task::yield_now().await,
            error => break error,
        }
    };
    assert!(matches!(refused, PortError::Rejected { .. }), "{refused:?}");
    assert!(refused.to_string().contains("name its authority in ca_pem"), "{refused}");
    shop.databases.get_mut("orders").unwrap().ca_pem = Some(pem);
    let read = Databases::new(&shop.databases, &USERS, &Now).sample("orders", false).await;
    assert!(read.is_ok(), "{read:?}");
}
