// The Android package as apps get it: dev.safescan:safescan-android, an AAR with the core for three ABIs.
//
//   scripts/bindings && scripts/build-android              the generated Kotlin, and the libraries (with an NDK)
//   gradle -p android assembleRelease                      build/outputs/aar
//   gradle -p android publishReleasePublicationToFolderRepository    target/android/published, laid out for Maven
//
// android/pom.xml compiles and tests the same sources without Gradle, scripts/assemble-aar puts the same files together.
import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
    `maven-publish`
}

fun setting(name: String): String = providers.gradleProperty(name).get()

val checkout: File = projectDir.parentFile
// The one of the whole project.
val coreVersion = checkNotNull(Regex("""(?m)^version = "(.+)"$""").find(checkout.resolve("Cargo.toml").readText())) {
    "Cargo.toml has no version"
}.groupValues[1]

val generated = checkout.resolve("target/bindings/ship/kotlin")
val libraries = checkout.resolve("target/android/jni")

android {
    namespace = "dev.safescan.android"
    compileSdk = setting("compileSdk").toInt()

    defaultConfig {
        minSdk = setting("minSdk").toInt()
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        consumerProguardFiles("consumer-rules.pro")
    }

    sourceSets {
        named("main") {
            kotlin.srcDirs(checkout.resolve("bindings/kotlin/src/main/kotlin"), generated)
            jniLibs.srcDirs(libraries)
        }
        // They are Maven's: scripts/test android.
        named("test") {
            java.setSrcDirs(emptyList<File>())
            kotlin.setSrcDirs(emptyList<File>())
            resources.setSrcDirs(emptyList<File>())
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.toVersion(setting("jvmTarget"))
        targetCompatibility = JavaVersion.toVersion(setting("jvmTarget"))
    }

    publishing {
        singleVariant("release") {
            withSourcesJar()
            withJavadocJar()
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.fromTarget(setting("jvmTarget"))
        allWarningsAsErrors = true
    }
}

dependencies {
    // Android's JNA is its AAR: the JAR has libraries for desktops in it, and none that Android loads.
    api("net.java.dev.jna:jna:${setting("jnaVersion")}@aar")
    // Its flows and suspending functions are the package's own surface.
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:${setting("coroutinesVersion")}")
    // What only a device shows: src/androidTest.
    androidTestImplementation("androidx.test:runner:1.6.2")
    androidTestImplementation("junit:junit:4.13.2")
}

// Without them the AAR would build, and every app fail at its first call.
val checkNativeParts by tasks.registering {
    val wanted = setting("abis").split(" ").map { libraries.resolve("$it/libsafescan_core.so") } +
        generated.resolve("dev/safescan/core/safescan_core.kt")
    doLast {
        val missing = wanted.filterNot(File::exists)
        if (missing.isNotEmpty()) {
            throw GradleException("run scripts/bindings and scripts/build-android first: there is no ${missing.joinToString()}")
        }
    }
}
tasks.named("preBuild") { dependsOn(checkNativeParts) }

publishing {
    publications {
        register<MavenPublication>("release") {
            groupId = "dev.safescan"
            artifactId = "safescan-android"
            version = coreVersion
            // The component is made late.
            afterEvaluate { from(components["release"]) }
            pom {
                name = "SafeScan for Android"
                description = "On-device data core for QR scanners: scan history, votes, community ratings, key-value data."
                url = "https://github.com/safescan/safescan-core"
                licenses {
                    license { name = "MIT" }
                    license { name = "Apache-2.0" }
                }
                scm { url = "https://github.com/safescan/safescan-core" }
            }
        }
    }
    repositories {
        maven {
            name = "folder"
            url = uri(checkout.resolve("target/android/published"))
        }
    }
}
