//! Accounts: registration, login, logout and the profile.

mod deletion;
mod reads_during_writes;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use chrono::TimeDelta;

use crate::support::{PASSWORD, Value, code, faults, json, on_both_databases};

const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    accessToken tokenType expiresAt user { id email username name isActive createdAt updatedAt } } }";
const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken user { id } } }";
const ME: &str = "{ me { id email username name updatedAt } }";

on_both_databases! {
    async fn registering_creates_an_account_and_signs_in(app) {
        let input = json!({ "email": " Ann@Example.com ", "password": PASSWORD, "name": "Ann B." });
        let data = app.anonymous().data(REGISTER, json!({ "input": input })).await;
        let payload = &data["register"];
        assert_eq!(payload["tokenType"], "Bearer");
        let user = &payload["user"];
        assert_eq!(
            (&user["email"], &user["username"], &user["name"], &user["isActive"]),
            (&json!("Ann@Example.com"), &json!("ann"), &json!("Ann B."), &json!(true))
        );
        let token = payload["accessToken"].as_str().expect("a token");
        assert_eq!(app.with_token(token).data(ME, json!({})).await["me"]["id"], user["id"]);
    }

    async fn registering_also_accepts_username_and_password_confirmation(app) {
        let input = json!({ "email": "a@example.com", "username": "Ann_B", "password": PASSWORD,
                            "confirmPassword": PASSWORD });
        let data = app.anonymous().data(REGISTER, json!({ "input": input })).await;
        assert_eq!(data["register"]["user"]["username"], "ann_b");
        assert_eq!(data["register"]["user"]["name"], "ann_b");
    }

    async fn a_token_carries_the_session_and_lasts_seven_days(app) {
        let ann = app.user("ann").await;
        let claims = ann.claims();
        assert_eq!(claims["sub"], ann.id);
        assert_eq!(claims["email"], ann.email);
        let seconds = |claim: &str| claims[claim].as_i64().expect("a number");
        assert_eq!(seconds("exp") - seconds("iat"), 7 * 86_400);
        assert!(claims["sid"].is_string() && claims["jti"].is_string());
    }

    async fn addresses_and_usernames_are_unique_regardless_of_case(app) {
        app.user("änn".replace('ä', "a").as_str()).await;
        let register = async |email: &str, username: &str| {
            let input = json!({ "email": email, "username": username, "password": PASSWORD });
            app.anonymous().error(REGISTER, json!({ "input": input })).await
        };
        let error = register("ANN@example.COM", "aNN").await;
        assert_eq!(code(&error), "CONFLICT");
        assert_eq!(faults(&error), ["input.email taken", "input.username taken"]);
        assert_eq!(faults(&register("other@example.com", "ann").await), ["input.username taken"]);
        assert_eq!(faults(&register("Ann@example.com", "other").await), ["input.email taken"]);
        assert_eq!(app.rows("users").await.len(), 1);
    }

    async fn addresses_outside_ascii_are_unique_regardless_of_case_too(app) {
        let register = async |email: &str| {
            let input = json!({ "email": email, "password": PASSWORD });
            app.anonymous().execute(REGISTER, json!({ "input": input })).await
        };
        assert!(register("ÄNN@exämple.de").await.body["data"]["register"].is_object());
        assert_eq!(register("änn@EXÄMPLE.de").await.code(), "CONFLICT");
        let login = app.anonymous().data(LOGIN, json!({ "who": "Änn@Exämple.de", "password": PASSWORD })).await;
        assert!(login["login"]["accessToken"].is_string());
    }

    async fn a_derived_username_gets_a_suffix_if_it_is_taken(app) {
        app.user("ann").await;
        let input = json!({ "email": "ann@example.org", "password": PASSWORD });
        let data = app.anonymous().data(REGISTER, json!({ "input": input })).await;
        let username = data["register"]["user"]["username"].as_str().expect("a username");
        assert!(username.starts_with("ann-"), "{username}");
    }

    async fn all_faults_of_a_registration_are_reported_together(app) {
        let input = json!({ "email": "no", "password": "short", "confirmPassword": "other",
                            "username": "a b", "name": " " });
        let error = app.anonymous().error(REGISTER, json!({ "input": input })).await;
        assert_eq!(code(&error), "BAD_USER_INPUT");
        assert_eq!(faults(&error), [
            "input.email invalid", "input.password too_short", "input.password weak",
            "input.confirmPassword mismatch", "input.username invalid", "input.name required",
        ]);
        assert!(app.rows("users").await.is_empty());
    }

    #[flags("--registration-open", "false")]
    async fn registering_fails_while_registration_is_closed(app) {
        let input = json!({ "email": "ann@example.com", "password": PASSWORD });
        let error = app.anonymous().error(REGISTER, json!({ "input": input })).await;
        assert_eq!(code(&error), "FORBIDDEN");
        let info = app.anonymous().data("{ serverInfo { registrationOpen } }", json!({})).await;
        assert_eq!(info["serverInfo"]["registrationOpen"], false);
    }

    async fn a_user_logs_in_by_address_or_username_in_any_case(app) {
        let ann = app.user("ann").await;
        for who in ["ann@example.com", "ANN@Example.com", "ann", " Ann "] {
            let data = app.anonymous().data(LOGIN, json!({ "who": who, "password": PASSWORD })).await;
            assert_eq!(data["login"]["user"]["id"], ann.id, "{who}");
        }
    }

    async fn all_failed_logins_get_the_same_response(app) {
        app.user("ann").await;
        app.user("gone").await;
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'gone'").await;
        let mut responses = Vec::new();
        for (who, password) in [("ann", "wrong-horse-1"), ("nobody", PASSWORD), ("gone", PASSWORD), ("ann", "x"),
                                ("a\u{301}@b@c", PASSWORD)] {
            let mut error = app.anonymous().error(LOGIN, json!({ "who": who, "password": password })).await;
            error["extensions"]["requestId"] = Value::Null;
            responses.push(error);
        }
        assert_eq!(code(&responses[0]), "INVALID_CREDENTIALS");
        assert_eq!(responses[0]["message"], "Invalid email or password");
        assert!(responses.iter().all(|response| *response == responses[0]), "{responses:#?}");
    }

    async fn a_login_without_username_or_password_reports_the_missing_field(app) {
        let error = app.anonymous().error(LOGIN, json!({ "who": " ", "password": "" })).await;
        assert_eq!(faults(&error), ["input.usernameOrEmail required", "input.password required"]);
    }

    async fn logging_out_revokes_the_session_immediately(app) {
        let ann = app.user("ann").await;
        ann.data(ME, json!({})).await;
        let data = ann.data("mutation { logout { success message } }", json!({})).await;
        assert_eq!(data["logout"]["success"], true);
        let response = ann.execute(ME, json!({})).await;
        assert_eq!(response.status, 401);
        assert_eq!(response.error()["message"], "Invalid token");
        assert_eq!(ann.execute("mutation { logout { success } }", json!({})).await.code(), "UNAUTHENTICATED");
    }

    async fn logging_out_other_sessions_keeps_the_current_one(app) {
        let ann = app.user("ann").await;
        let login = async || {
            let data = app.anonymous().data(LOGIN, json!({ "who": "ann", "password": PASSWORD })).await;
            app.with_token(data["login"]["accessToken"].as_str().expect("a token"))
        };
        let (second, bob) = (login().await, app.user("bob").await);
        second.data("mutation { logout(scope: OTHERS) { success } }", json!({})).await;
        assert_eq!(ann.execute(ME, json!({})).await.status, 401);
        second.data(ME, json!({})).await;
        let third = login().await;
        second.data("mutation { logout(scope: ALL) { success } }", json!({})).await;
        assert_eq!(second.execute(ME, json!({})).await.status, 401);
        assert_eq!(third.execute(ME, json!({})).await.status, 401);
        bob.data(ME, json!({})).await;
    }

    async fn a_token_expires_to_the_second(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::days(7) - TimeDelta::seconds(2));
        ann.data(ME, json!({})).await;
        app.clock.advance(TimeDelta::seconds(2));
        let response = ann.execute(ME, json!({})).await;
        assert_eq!(response.status, 401);
        assert_eq!(response.error()["message"], "Token has expired");
        assert_eq!(
            response.header("www-authenticate"),
            r#"Bearer error="invalid_token", error_description="Token has expired""#
        );
    }

    async fn an_expired_token_can_still_log_out_of_its_own_session(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::days(8));
        assert_eq!(ann.execute("mutation { logout(scope: ALL) { success } }", json!({})).await.code(), "UNAUTHENTICATED");
        assert_eq!(app.rows("sessions").await.len(), 1);
        ann.data("mutation { logout { success } }", json!({})).await;
        assert!(app.rows("sessions").await.is_empty());
    }

    async fn a_token_of_an_inactive_or_deleted_user_is_refused(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'ann'").await;
        app.execute_sql("DELETE FROM users WHERE username = 'bob'").await;
        for actor in [ann, bob] {
            assert_eq!(actor.execute(ME, json!({})).await.error()["message"], "Invalid token");
        }
    }

    async fn the_profile_can_be_changed_field_by_field(app) {
        let ann = app.user("ann").await;
        let before = ann.data(ME, json!({})).await["me"].clone();
        app.clock.advance(TimeDelta::seconds(1));
        let update = "mutation($input: UpdateProfileInput!) {
            updateProfile(input: $input) { user { id email username name updatedAt } } }";
        let changed = ann.data(update, json!({ "input": { "name": "Ann B." } })).await["updateProfile"]["user"].clone();
        assert_eq!((&changed["name"], &changed["username"]), (&json!("Ann B."), &json!("ann")));
        assert_ne!(changed["updatedAt"], before["updatedAt"]);

        app.clock.advance(TimeDelta::seconds(1));
        let same = ann.data(update, json!({ "input": { "name": "Ann B." } })).await["updateProfile"]["user"].clone();
        assert_eq!(same, changed);
        let same = ann.data(update, json!({ "input": {} })).await["updateProfile"]["user"].clone();
        assert_eq!(same, changed);
        assert_eq!(ann.data(ME, json!({})).await["me"], changed);
    }

    async fn a_profile_cannot_take_the_username_of_another(app) {
        let (ann, _bob) = (app.user("ann").await, app.user("bob").await);
        let update = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }";
        let error = ann.error(update, json!({ "input": { "username": "BOB" } })).await;
        assert_eq!((code(&error), faults(&error)), ("CONFLICT".into(), vec!["input.username taken".into()]));
    }

    async fn a_changed_profile_is_visible_to_later_fields_of_the_request(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let query = "mutation($id: ID!) {
            before: completeTask(id: $id) { task { owner { name } } }
            updateProfile(input: { name: \"New\" }) { user { name } }
            after: reopenTask(id: $id) { task { owner { name } } } }";
        let data = ann.data(query, json!({ "id": id })).await;
        assert_eq!(data["before"]["task"]["owner"]["name"], "ann");
        assert_eq!(data["after"]["task"]["owner"]["name"], "New");
    }

    async fn of_concurrent_registrations_of_one_address_one_succeeds(app) {
        let input = json!({ "email": "ann@example.com", "password": PASSWORD });
        let anonymous = app.anonymous();
        let tries = (0..12).map(|_| anonymous.execute(REGISTER, json!({ "input": input })));
        let responses = futures_util::future::join_all(tries).await;
        let made = responses.iter().filter(|response| response.body["data"]["register"].is_object()).count();
        assert_eq!(made, 1);
        assert_eq!(app.rows("users").await.len(), 1);
    }

    async fn a_login_rehashes_a_password_with_outdated_parameters(app) {
        let ann = app.user("ann").await;
        let params = Params::new(1_024, 1, 1, None).expect("parameters in range");
        let older = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old = older.hash_password(PASSWORD.as_bytes()).expect("it can be hashed").to_string();
        app.execute_sql(&format!("UPDATE users SET password_hash = '{old}'")).await;
        let hash = async || {
            let row: Value = serde_json::from_str(&app.rows("users").await[0]).expect("a row");
            row["password_hash"].as_str().expect("text").to_owned()
        };
        let login = async |password: &str| {
            app.anonymous().execute(LOGIN, json!({ "who": "ann", "password": password })).await
        };
        assert_eq!(login("wrong-horse-1").await.code(), "INVALID_CREDENTIALS");
        assert_eq!(hash().await, old);
        assert_eq!(login(PASSWORD).await.body["data"]["login"]["user"]["id"], ann.id);
        let fresh = hash().await;
        assert!(fresh.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{fresh}");
        assert_eq!(login(PASSWORD).await.body["data"]["login"]["user"]["id"], ann.id);
        assert_eq!(hash().await, fresh);
    }

    async fn a_stored_hash_with_excessive_cost_is_never_verified(app) {
        app.user("ann").await;
        app.execute_sql("UPDATE users SET password_hash = replace(password_hash, 'm=19456', 'm=4194304')").await;
        let response = app.anonymous().execute(LOGIN, json!({ "who": "ann", "password": PASSWORD })).await;
        assert_eq!(response.code(), "INTERNAL_SERVER_ERROR");
    }

    async fn passwords_and_hashes_are_never_returned(app) {
        let introspection = "{ __type(name: \"User\") { fields { name } } }";
        let fields = app.anonymous().data(introspection, json!({})).await.to_string();
        assert!(!fields.to_lowercase().contains("password") && !fields.contains("hash"), "{fields}");
        let row = { app.user("ann").await; app.rows("users").await.remove(0) };
        assert!(!row.contains(PASSWORD) && row.contains("$argon2id$"), "{row}");
    }
}
