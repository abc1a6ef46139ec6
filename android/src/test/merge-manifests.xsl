<?xml version="1.0" encoding="utf-8"?>
<!-- Puts a library's manifest into an app's, and what the app's build adds: Gradle's merger, as far as these two need it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:android="http://schemas.android.com/apk/res/android">
    <xsl:param name="library" />
    <xsl:variable name="applicationId">dev.safescan.sample</xsl:variable>

    <xsl:template match="/manifest">
        <manifest package="{$applicationId}">
            <xsl:apply-templates select="@*" />
            <uses-sdk android:minSdkVersion="24" android:targetSdkVersion="35" />
            <xsl:apply-templates select="document($library)/manifest/uses-permission" />
            <xsl:apply-templates select="*" />
        </manifest>
    </xsl:template>

    <xsl:template match="application">
        <application>
            <xsl:apply-templates select="@* | *" />
            <xsl:apply-templates select="document($library)/manifest/application/*" />
        </application>
    </xsl:template>

    <!-- Newer than the resources that the APK is linked against. -->
    <xsl:template match="@android:dataExtractionRules" />

    <xsl:template match="@*[starts-with(., '${applicationId}')]">
        <xsl:attribute name="{name()}" namespace="http://schemas.android.com/apk/res/android">
            <xsl:value-of select="concat($applicationId, substring-after(., '}'))" />
        </xsl:attribute>
    </xsl:template>

    <xsl:template match="@* | *">
        <xsl:copy><xsl:apply-templates select="@* | *" /></xsl:copy>
    </xsl:template>
</xsl:stylesheet>
